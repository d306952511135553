/// Country codes of ISO 3166-1 alpha-2, from `iso3166.tab` of the time zone database (public domain), and `XK` (Kosovo:
/// user-assigned, but used by the IBAN registry and by BICs).
public enum CountryTable {
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

    private static let known: [Bool] = {
        var known = [Bool](repeating: false, count: 26 * 26)
        for code in codes.utf8.split(whereSeparator: { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }) {
            let letters = Array(code)
            if let place = place(letters[0], letters[1]) { known[place] = true }
        }
        return known
    }()

    /// Where two bytes stand in a table of 26 × 26 pairs of letters; nil where they are no two upper-case letters.
    /// Constant time.
    @inlinable
    public static func place(_ first: UInt8, _ second: UInt8) -> Int? {
        let row = Int(first &- UInt8(ascii: "A"))
        let column = Int(second &- UInt8(ascii: "A"))
        return row < 26 && column < 26 ? row &* 26 &+ column : nil
    }

    /// Whether two bytes are the code of a country. Constant time.
    public static func contains(_ first: UInt8, _ second: UInt8) -> Bool {
        guard let place = place(first, second) else { return false }
        return known[place]
    }

    /// Whether the text is the code of a country. Constant time.
    public static func contains(_ code: String) -> Bool {
        var bytes = code.utf8.makeIterator()
        guard let first = bytes.next(), let second = bytes.next(), bytes.next() == nil else { return false }
        return contains(first, second)
    }
}
