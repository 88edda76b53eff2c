"""What a pipeline does around the commands: comments on pull requests, issues about drift, summaries, outputs.

``reconciler-pipeline COMMAND`` runs ``reconciler`` as a person would, as a process of its own, and tells the forge,
GitHub or GitLab, how it went. ``action.yml`` and the GitLab template call nothing else. It talks HTTP to the forge
and never to an org; of the tool itself it only needs to know which environments there are.
"""
