from plugins.mail_lines import catcher, send, stand_in

__all__ = ["catcher", "send", "stand_in"]
