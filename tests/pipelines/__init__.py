"""What teams copy into their pipelines, run as it is: action, workflows, GitLab jobs, against a forge on loopback."""
