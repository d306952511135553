import CYAML

/// One event of libyaml's parser, copied out of C memory.
struct YAMLEvent {
    enum Kind {
        case streamStart
        case streamEnd
        case documentStart
        case documentEnd
        case alias(String)
        case scalar(text: String, isPlain: Bool)
        case sequenceStart
        case sequenceEnd
        case mappingStart
        case mappingEnd
        case none
    }

    let kind: Kind
    let mark: YAMLMark
    /// The name that later aliases refer to, where one was given.
    let anchor: String?
    /// The explicit tag, where one was given.
    let tag: String?
}

/// A fault that libyaml found, with its place.
struct YAMLSyntaxFault: Error {
    let message: String
    let mark: YAMLMark
}

/// libyaml's parser over bytes that outlive it. One handle, freed at the end of its life.
struct EventReader: ~Copyable {
    private let parser: UnsafeMutablePointer<yaml_parser_t>

    /// A reader of `bytes`, which must stay valid as long as the reader lives. Nil where memory is lacking.
    init?(_ bytes: UnsafeBufferPointer<UInt8>) {
        let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
        guard yaml_parser_initialize(parser) == 1 else {
            parser.deallocate()
            return nil
        }
        self.parser = parser
        // Without this a byte order mark could switch the parser to UTF-16.
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
    }

    /// The next event.
    mutating func next() throws(YAMLSyntaxFault) -> YAMLEvent {
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else { throw fault() }
        defer { yaml_event_delete(&event) }
        let mark = EventReader.mark(event.start_mark)
        var anchor: UnsafeMutablePointer<yaml_char_t>?
        var tag: UnsafeMutablePointer<yaml_char_t>?
        let kind: YAMLEvent.Kind
        switch event.type {
        case YAML_STREAM_START_EVENT: kind = .streamStart
        case YAML_STREAM_END_EVENT: kind = .streamEnd
        case YAML_DOCUMENT_START_EVENT: kind = .documentStart
        case YAML_DOCUMENT_END_EVENT: kind = .documentEnd
        case YAML_ALIAS_EVENT: kind = .alias(EventReader.text(event.data.alias.anchor) ?? "")
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            anchor = scalar.anchor
            tag = scalar.tag
            let text = String(
                decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
            kind = .scalar(text: text, isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE)
        case YAML_SEQUENCE_START_EVENT:
            anchor = event.data.sequence_start.anchor
            tag = event.data.sequence_start.tag
            kind = .sequenceStart
        case YAML_SEQUENCE_END_EVENT: kind = .sequenceEnd
        case YAML_MAPPING_START_EVENT:
            anchor = event.data.mapping_start.anchor
            tag = event.data.mapping_start.tag
            kind = .mappingStart
        case YAML_MAPPING_END_EVENT: kind = .mappingEnd
        default: kind = .none
        }
        return YAMLEvent(
            kind: kind, mark: mark, anchor: EventReader.text(anchor), tag: EventReader.text(tag))
    }

    private func fault() -> YAMLSyntaxFault {
        let state = parser.pointee
        var message = state.problem.map { String(cString: $0) } ?? "cannot be parsed"
        if let context = state.context { message += ", " + String(cString: context) }
        if state.error == YAML_READER_ERROR {
            // The reader works ahead of the marks, so it gives an offset in bytes instead.
            message += " at byte \(state.problem_offset)"
        }
        return YAMLSyntaxFault(message: message, mark: EventReader.mark(state.problem_mark))
    }

    private static func text(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        pointer.map { String(cString: $0) }
    }

    private static func mark(_ mark: yaml_mark_t) -> YAMLMark {
        YAMLMark(line: Int(clamping: mark.line) + 1, column: Int(clamping: mark.column) + 1)
    }
}
