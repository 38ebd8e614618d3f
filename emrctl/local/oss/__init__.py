"""OSS of the local ECS: buckets whose objects are files of the state folder, behind the protocol of the service.

Requests come in over the port of the API (``web``), are read (``request``), have their signature checked
(``signature``) and are done by ``buckets``, ``listing``, ``objects`` and ``multipart`` on an index (``index``) and its
files (``files``). ``service`` holds these together.
"""
