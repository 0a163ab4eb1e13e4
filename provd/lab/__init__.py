"""A laboratory of private networks and virtual machines: what the demo, the rehearsals and the system tests run on."""
