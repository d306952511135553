// PartnerSimulator
