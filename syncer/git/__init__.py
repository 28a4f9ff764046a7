"""Reads git servers and mirrors, bounded in time and size, without any git configuration of the machine."""
