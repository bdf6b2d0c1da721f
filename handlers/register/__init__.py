"""Lists of enterprises as offices keep them: read, repaired, compared with the register; decisions only."""
