// Partners
