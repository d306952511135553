// MessageCodec
