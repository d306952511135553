import TestSupport
import CanonicalJSON
import Testing

@Suite("Hostile bytes never trap")
struct FuzzTests {
    static let corpus: [[UInt8]] = [
        #"{"instructedAmount":{"currency":"EUR","minorUnits":125000},"creditor":{"name":"Ex\u00e4mple \ud83d\ude00"}}"#,
        #"[1,-2.5e10,true,false,null,"",[],{},"\\\"\n",[[[[1]]]]]"#,
        #"{"a":{"b":{"c":[1,2,{"d":"é€😀"}]}},"z":0.000001,"y":1e23}"#,
    ].map { Array($0.utf8) }

    @Test(arguments: [UInt64(1), 2, 3, UInt64.random(in: 0...UInt64.max)])
    func mutatedTexts(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var document = JSONDocument()
        var accepted = 0
        for round in 0..<20_000 {
            var text = FuzzTests.corpus[round % FuzzTests.corpus.count]
            for _ in 0..<Int.random(in: 0...4, using: &generator) { mutate(&text, &generator) }
            do {
                try document.parse(text.span.bytes, limits: JSONLimits(depth: 16), refuseViolations: round % 2 == 0)
            } catch { continue }
            accepted += 1
            visit(document, .root)
            guard let canonical = try? document.canonical() else { continue }
            let again = try JSONDocument(canonical)
            #expect(try again.canonical() == canonical, "seed \(seed) round \(round)")
            let tree = JSONValue(document)
            #expect(tree.bytes == canonical, "seed \(seed) round \(round): \(String(decoding: text, as: UTF8.self))")
        }
        #expect(accepted > 1_000, "seed \(seed)")
    }

    /// The doubles' texts read back as the same doubles.
    @Test(arguments: [UInt64(7), UInt64.random(in: 0...UInt64.max)])
    func doublesRoundTrip(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<20_000 {
            let value = Double(bitPattern: generator.next())
            guard value.isFinite else { continue }
            let text = JSONValue.number(value).description
            #expect(Double(text) == value, "seed \(seed): \(text)")
            #expect(String(decoding: try JSONDocument(Array(text.utf8)).canonical(), as: UTF8.self) == text)
        }
    }

    private func mutate(_ text: inout [UInt8], _ generator: inout SeededGenerator) {
        let alphabet = Array("{}[]\",:\\u0123456789abcdefDe.+-tfn \n\0".utf8) + [0x80, 0xC3, 0xE2, 0xED, 0xF0, 0xFF]
        let place = Int.random(in: 0...text.count, using: &generator)
        switch Int.random(in: 0..<5, using: &generator) {
        case 0 where place < text.count: text[place] = alphabet.randomElement(using: &generator) ?? 0
        case 1 where place < text.count: text.remove(at: place)
        case 2: text.insert(alphabet.randomElement(using: &generator) ?? 0, at: place)
        case 3: text.removeLast(text.count - place)
        default:
            let end = Int.random(in: place...text.count, using: &generator)
            text.insert(contentsOf: text[place..<end], at: place)
        }
    }

    private func visit(_ document: JSONDocument, _ node: JSONNode) {
        _ = document.integer(node)
        _ = document.double(node)
        _ = document.string(node)
        _ = document.textRange(node)
        _ = document.path(to: node, from: .root)
        _ = document.member(node, "creditor")
        for (key, value) in document.members(node) {
            _ = document.string(key)
            visit(document, value)
        }
        for element in document.elements(node) { visit(document, element) }
    }
}
