/// Country codes of ISO 3166-1 alpha-2, from `iso3166.tab` of the time zone database (public domain), and `XK` (Kosovo:
/// user-assigned, but used by the IBAN registry and by BICs).
enum CountryTable {
    private static let codes = """
        AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV
        BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES
        ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE
        IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY
        MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU
        NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM
        SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE
        VG VI VN VU WF WS YE YT ZA ZM ZW
        XK
        """

    private static let known: Set<UInt16> = {
        var known: Set<UInt16> = []
        for code in codes.split(whereSeparator: { $0 == " " || $0 == "\n" }) {
            known.insert(code.utf8.reduce(0) { $0 << 8 | UInt16($1) })
        }
        return known
    }()

    /// Whether two bytes are the code of a country.
    static func contains(_ first: UInt8, _ second: UInt8) -> Bool {
        known.contains(UInt16(first) << 8 | UInt16(second))
    }

    /// Whether the text is the code of a country.
    static func contains(_ code: String) -> Bool {
        let bytes = Array(code.utf8)
        return bytes.count == 2 && contains(bytes[0], bytes[1])
    }
}
