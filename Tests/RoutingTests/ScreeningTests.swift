import PaymentModel
import Testing

@testable import Screening

@Suite("Screening") struct ScreeningTests {
    @Test(
        "The same name written differently folds alike",
        arguments: [
            ("José Müller", "JOSE  MULLER"),
            ("Jose\u{301} Mu\u{308}ller", "josé müller"),
            ("Łukasz Żółć", "lukasz zolc"),
            ("Straße", "STRASSE"), ("STRAẞE", "strasse"),
            ("Ørsted Æther", "orsted aether"), ("Œuvre", "oeuvre"), ("Þór", "thor"), ("Đoković", "dokovic"),
            ("Nguyễn Thị Ánh", "NGUYEN THI ANH"),
            ("İstanbul Işık", "istanbul isik"),
            ("Ａｃｍｅ　Ｂ．Ｖ．", "acme b.v."),
            ("  Acme\u{A0}\tBV\u{2009}", "acmebv"),
            ("O\u{2019}Brien\u{2010}Smith", "o'brien-smith"),
            ("ﬁnance", "Finance"),
            ("zero\u{200B}width\u{AD}", "ZeroWidth"),
            ("Ελλάς Άννα", "ελλας αννα"), ("ΕΛΛΑΣ", "ελλας"),
            ("Йо́шкин Ёлка", "Иошкин елка"), ("и\u{306}", "й"),
            ("ｶﾌﾞｼｷｶﾞｲｼｬ", "カブシキガイシャ"),
            ("\u{1112}\u{1161}\u{11AB}", "한"),
            ("ǅ", "dž"),
        ])
    func foldsAlike(_ left: String, _ right: String) {
        #expect(
            NameFolding.fold(left) == NameFolding.fold(right), "\(NameFolding.fold(left)) / \(NameFolding.fold(right))")
    }

    @Test(
        "Different names stay different",
        arguments: [
            ("Anna", "Anne"), ("Müller", "Mueller"), ("Acme BV", "Acme B.V."), ("Иван", "Ivan"), ("かき", "かぎ"),
            ("ハ", "パ"), ("O'Brien", "OBrien"), ("कि", "कु"),
        ])
    func staysDifferent(_ left: String, _ right: String) {
        #expect(NameFolding.fold(left) != NameFolding.fold(right))
    }

    @Test("Folding twice changes nothing more, for every letter that the table knows and what lies around it")
    func idempotent() {
        for value: UInt32 in 0x20...0x2FFF {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let once = NameFolding.fold(String(scalar))
            #expect(NameFolding.fold(once) == once, "U+\(String(value, radix: 16))")
        }
    }

    @Test("Case never matters, for every letter")
    func caseInsensitive() {
        for value: UInt32 in 0x20...0x24FF {
            guard let scalar = Unicode.Scalar(value), scalar.properties.generalCategory == .lowercaseLetter else {
                continue
            }
            let upper = scalar.properties.uppercaseMapping
            // Where upper and lower case belong together both ways.
            guard upper.unicodeScalars.count == 1,
                upper.unicodeScalars.first?.properties.lowercaseMapping == String(scalar)
            else { continue }
            #expect(NameFolding.fold(upper) == NameFolding.fold(String(scalar)), "U+\(String(value, radix: 16))")
        }
    }

    static let lists = ScreeningLists(
        version: 42, owner: "compliance", deadline: .seconds(3_600),
        entries: [
            ScreeningEntry(id: "hold-1", list: .hold, names: ["Jean Dupont", "J. Dupont"]),
            ScreeningEntry(id: "block-1", list: .block, names: ["Évil Corp"]),
            ScreeningEntry(id: "hold-2", list: .hold, names: ["Evil Corp"]),
        ])

    @Test(
        "Passed, held, blocked; a block outweighs a hold, in either order",
        arguments: [
            (["Acme BV", "Example GmbH"], ScreeningResult.passed(listVersion: 42)),
            (
                ["Acme BV", "JEAN  DUPONT"],
                .held(
                    owner: "compliance", deadline: Timestamp(milliseconds: 3_600_001), entry: "hold-1", listVersion: 42)
            ),
            (
                ["j.dupont"],
                .held(
                    owner: "compliance", deadline: Timestamp(milliseconds: 3_600_001), entry: "hold-1", listVersion: 42)
            ),
            (["evil corp", "Jean Dupont"], .blocked(entry: "block-1", listVersion: 42)),
            (["Jean Dupont", "EVIL CORP"], .blocked(entry: "block-1", listVersion: 42)),
            (["Jean Dupont Junior"], .passed(listVersion: 42)),
            ([], .passed(listVersion: 42)),
        ] as [([String], ScreeningResult)])
    func results(_ names: [String], _ expected: ScreeningResult) {
        #expect(ScreeningTests.lists.screen(names, now: Timestamp(milliseconds: 1)) == expected)
    }

    @Test("Debtor and creditor are both compared; the result names the entry, never the name")
    func parties() {
        let hit = Party(name: Personal("Jean Dupont"), account: nil)
        let other = Party(name: Personal("Acme"), account: nil)
        for (debtor, creditor) in [(hit, other), (other, hit)] {
            let initiation = Initiation(
                kind: .payout, instructedAmount: Money(1, eur), debtor: debtor, creditor: creditor)
            let result = ScreeningTests.lists.screen(initiation, now: Timestamp(milliseconds: 0))
            guard case .held(_, _, let entry, _) = result else {
                Issue.record("\(result)")
                continue
            }
            #expect(entry == "hold-1")
            #expect(!"\(result)".lowercased().contains("dupont"))
        }
    }
}
