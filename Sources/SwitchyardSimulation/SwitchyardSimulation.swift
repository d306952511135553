// SwitchyardSimulation
