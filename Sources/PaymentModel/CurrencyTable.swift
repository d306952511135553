/// ISO 4217 list one as published 2026-01-01 (SIX; taken from PyPI `iso4217` 1.16.20260101, public domain): the codes
/// in use with their number of decimal digits. Codes without minor units (funds, metals, testing) move no money and
/// are left out.
enum CurrencyTable {
    /// Currencies with two decimal digits.
    static let twoDigits = """
        AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE
        CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD
        HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK
        MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD
        RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH
        USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG
        """

    /// Currencies without minor units.
    static let zeroDigits = """
        BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF
        """

    /// Currencies with three decimal digits.
    static let threeDigits = "BHD IQD JOD KWD LYD OMR TND"

    /// Currencies with four decimal digits.
    static let fourDigits = "CLF UYW"
}
