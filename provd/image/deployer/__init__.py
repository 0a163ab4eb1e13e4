"""The deployer: the small system a machine boots in order to be written to."""
