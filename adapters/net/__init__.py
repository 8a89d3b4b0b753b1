"""How this process speaks to others over HTTP: to configured hosts and vetted addresses only."""
