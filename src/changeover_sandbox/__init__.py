"""Local stand-ins for the outside services, for trying, developing, testing and measuring."""
