"""Speaks with Housecall Pro: one paced client, a module for each kind of thing it keeps; no rule of the business."""
