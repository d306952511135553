// Screening
