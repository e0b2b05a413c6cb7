"""TODO(owner): package."""
