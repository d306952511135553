// PaymentModel
