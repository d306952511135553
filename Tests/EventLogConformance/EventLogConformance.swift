// EventLogConformance
