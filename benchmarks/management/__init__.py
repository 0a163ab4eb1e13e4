"""What operators wait for."""
