"""What people see of a run: the Rich dashboard, plain lines, or JSON lines. Looks, never acts."""
