/// Length and structure of IBANs by country: the country code, then runs of characters of the national part (BBAN),
/// `n` digits, `a` upper-case letters, `c` digits or upper-case letters. 105 countries.
///
/// Derived from `iban_registry/generated.json` of schwifty 2026.10.1, which derives it from the IBAN registry of SWIFT
/// (ISO 13616). Licence of schwifty: MIT, copyright (c) its authors; "The above copyright notice and this permission
/// notice shall be included in all copies or substantial portions of the Software."
enum IBANTable {
    static let structures = """
        AD4n4n12c AE3n16n AL8n16c AT5n11n AX3n11n AZ4a20c BA3n3n8n2n BE3n7n2n BG4a4n2n8c BH4a14c BI5n5n11n2n
        BL5n5n11c2n BR8c5n10n1c1c BY4c4n16c CH5n12c CR4n14n CY3n5n16c CZ4n16n DE8n10n DJ5n5n11n2n DK4n9n1n
        DO4c20n EE2n14n EG4n4n17n ES4n4n1n1n10n FI3n11n FK2a12n FO4n9n1n FR5n5n11c2n GB4a6n8n GE2a16n
        GF5n5n11c2n GG4a6n8n GI4a15c GL4n9n1n GP5n5n11c2n GR3n4n16c GT4c20c HN4a20n HR7n10n HU3n4n1n15n1n
        IE4a6n8n IL3n3n13n IM4a6n8n IQ4a3n12n IS4n2n6n10n IT1a5n5n12c JE4a6n8n JO4a4n18c KW4a22c KZ3n13c LB4n20c
        LC4a24c LI5n12c LT5n11n LU3n13c LV4a13c LY3n3n15n MC5n5n11c2n MD2c18c ME3n13n2n MF5n5n11c2n MK3n10c2n
        MN4n12n MQ5n5n11c2n MR5n5n11n2n MT4a5n18c MU4a2n2n12n3n3a NC5n5n11c2n NI4a20n NL4a10n NO4n6n1n OM3n16c
        PF5n5n11c2n PK4a16c PL8n16n PM5n5n11c2n PS4a21c PT4n4n11n2n QA4a21c RE5n5n11c2n RO4a16c RS3n13n2n
        RU9n5n15c SA2n18c SC4a2n2n16n3a SD2n12n SE3n16n1n SI5n8n2n SK4n6n10n SM1a5n5n12c SO4n3n12n ST4n4n11n2n
        SV4a20n TF5n5n11c2n TL3n14n2n TN2n3n13n2n TR5n1n16c UA6n19c VA3n15n VG4a16n WF5n5n11c2n XK4n10n2n
        YE4a4n18c YT5n5n11c2n
        """
}
