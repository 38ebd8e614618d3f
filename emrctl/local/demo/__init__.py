"""From order to answer on the local ECS: real flights, a real cluster, real jobs (``make demo``)."""
