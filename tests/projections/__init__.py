"""What projections make of events, and what they answer."""
