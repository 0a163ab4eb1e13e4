"""Speed of file serving: provd beside the servers that are used for it elsewhere."""
