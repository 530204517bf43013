from plugins.front_door import door
from plugins.mail_lines import catcher, send, stand_in

__all__ = ["catcher", "door", "send", "stand_in"]
