"""The demonstration: typhoon Muifa over Shaoxing, replayed message by message in simulated time.

`story.toml` says what arrives when; `replay` drives a platform with it, `play` tells it on a console. What does not
belong here: any decision; the demonstration sees what every partner and duty officer would see.
"""

from adapters.demo.play import LANGUAGES, default_speed, open_platform, play
from adapters.demo.replay import DemoError, replay
from adapters.demo.story import Story, load_story

__all__ = [
    "LANGUAGES",
    "DemoError",
    "Story",
    "default_speed",
    "load_story",
    "open_platform",
    "play",
    "replay",
]
