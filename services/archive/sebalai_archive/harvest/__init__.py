"""OAI-PMH 2.0: public records, and that some were destroyed, for harvesters of others."""
