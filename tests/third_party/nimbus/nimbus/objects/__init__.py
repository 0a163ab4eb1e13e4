"""Distros and profiles."""
