// PaymentCore
