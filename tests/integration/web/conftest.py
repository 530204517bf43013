from plugins.front_door import door, house

__all__ = ["door", "house"]
