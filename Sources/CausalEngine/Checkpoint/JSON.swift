/// A JSON value (RFC 8259), as checkpoints need it: strict, and safe on a text from anyone.
enum JSON: Equatable {
    case null
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case array([JSON])
    /// In the order of the text; no name twice.
    case object([Member])

    struct Member: Equatable {
        let name: String
        let value: JSON
    }

    subscript(name: String) -> JSON? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }

    var string: String? { if case .string(let value) = self { value } else { nil } }
    var integer: Int? { if case .integer(let value) = self { value } else { nil } }
    var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    var array: [JSON]? { if case .array(let value) = self { value } else { nil } }
    var members: [Member]? { if case .object(let value) = self { value } else { nil } }

    /// This one and all that are in it.
    var valueCount: Int {
        switch self {
        case .array(let values): values.reduce(1) { $0 + $1.valueCount }
        case .object(let members): members.reduce(1) { $0 + $1.value.valueCount }
        default: 1
        }
    }

    /// The value as a text without spaces.
    var text: String {
        switch self {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .string(let value): JSON.quoted(value)
        case .array(let values): "[" + values.map(\.text).joined(separator: ",") + "]"
        case .object(let members): "{" + members.map { JSON.quoted($0.name) + ":" + $0.value.text }.joined(separator: ",") + "}"
        }
    }

    private static func quoted(_ string: String) -> String {
        var result = "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    /// A value in memory is many times as long as the shortest ones are in a text. No network has as many values, see `Network.mostNodes`.
    static let mostValues = 1 << 20

    /// - Throws: `.file`, naming the place, where the bytes are not one JSON value, or more than `mostValues`.
    init(parsing bytes: some Collection<UInt8>, mostValues: Int = JSON.mostValues) throws(EngineError) {
        var parser = Parser(bytes: Array(bytes), mostValues: mostValues)
        self = try parser.document()
    }
}

private struct Parser {
    let bytes: [UInt8]
    let mostValues: Int
    var at = 0
    var values = 0

    static let deepest = 64

    mutating func document() throws(EngineError) -> JSON {
        let value = try self.value(depth: 0)
        skipSpaces()
        guard at == bytes.count else { throw failure("something follows the value") }
        return value
    }

    private func failure(_ what: String) -> EngineError { EngineError(.file, "JSON: \(what) at byte \(at)") }

    private mutating func skipSpaces() {
        while at < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[at]) { at += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard at < bytes.count, UInt32(bytes[at]) == character.value else { return false }
        at += 1
        return true
    }

    private mutating func take(word: StaticString) -> Bool {
        let count = word.utf8CodeUnitCount
        guard bytes.count - at >= count, (0..<count).allSatisfy({ bytes[at + $0] == word.utf8Start[$0] }) else { return false }
        at += count
        return true
    }

    private mutating func value(depth: Int) throws(EngineError) -> JSON {
        guard depth < Parser.deepest else { throw failure("nested deeper than \(Parser.deepest)") }
        values += 1
        guard values <= mostValues else { throw failure("more than \(mostValues) values") }
        skipSpaces()
        if take("{") { return try object(depth) }
        if take("[") { return try array(depth) }
        if take("\"") { return .string(try string()) }
        if take(word: "true") { return .bool(true) }
        if take(word: "false") { return .bool(false) }
        if take(word: "null") { return .null }
        return try number()
    }

    private mutating func object(_ depth: Int) throws(EngineError) -> JSON {
        var members: [JSON.Member] = [], names = Set<String>()
        skipSpaces()
        if take("}") { return .object([]) }
        while true {
            skipSpaces()
            guard take("\"") else { throw failure("expected a name") }
            let name = try string()
            guard names.insert(name).inserted else { throw failure("the name \"\(name)\" is there twice") }
            skipSpaces()
            guard take(":") else { throw failure("expected a colon") }
            members.append(JSON.Member(name: name, value: try value(depth: depth + 1)))
            skipSpaces()
            if take("}") { return .object(members) }
            guard take(",") else { throw failure("expected a comma or the end of the object") }
        }
    }

    private mutating func array(_ depth: Int) throws(EngineError) -> JSON {
        var values: [JSON] = []
        skipSpaces()
        if take("]") { return .array([]) }
        while true {
            values.append(try value(depth: depth + 1))
            skipSpaces()
            if take("]") { return .array(values) }
            guard take(",") else { throw failure("expected a comma or the end of the array") }
        }
    }

    /// After the opening quote.
    private mutating func string() throws(EngineError) -> String {
        var result: [UInt8] = []
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            switch byte {
            case 0x22:
                guard let string = String(validating: result, as: UTF8.self) else { throw failure("a string is not UTF-8") }
                return string
            case 0x5C: result.append(contentsOf: String(try escape()).utf8)
            case 0..<0x20: throw failure("a control character in a string")
            default: result.append(byte)
            }
        }
        throw failure("a string has no end")
    }

    /// After the backslash.
    private mutating func escape() throws(EngineError) -> Unicode.Scalar {
        guard at < bytes.count else { throw failure("a string has no end") }
        at += 1
        switch bytes[at - 1] {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"):
            var code = try hexadecimal()
            if 0xD800..<0xDC00 ~= code {
                guard take("\\"), take("u") else { throw failure("half a surrogate pair") }
                let low = try hexadecimal()
                guard 0xDC00..<0xE000 ~= low else { throw failure("half a surrogate pair") }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw failure("half a surrogate pair") }
            return scalar
        default: throw failure("an unknown escape")
        }
    }

    private mutating func hexadecimal() throws(EngineError) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard at < bytes.count, let digit = Character(Unicode.Scalar(bytes[at])).hexDigitValue, bytes[at] < 0x80 else {
                throw failure("expected four hexadecimal digits")
            }
            code = code << 4 | UInt32(digit)
            at += 1
        }
        return code
    }

    private mutating func number() throws(EngineError) -> JSON {
        let start = at
        _ = take("-")
        let digits = at
        try skipDigits()
        if at - digits > 1, bytes[digits] == UInt8(ascii: "0") { throw failure("a number begins with 0") }
        var isInteger = true
        if take(".") {
            isInteger = false
            try skipDigits()
        }
        if take("e") || take("E") {
            isInteger = false
            if !take("+") { _ = take("-") }
            try skipDigits()
        }
        let text = String(decoding: bytes[start..<at], as: UTF8.self)
        if isInteger, let value = Int(text) { return .integer(value) }
        guard let value = Double(text), value.isFinite else { throw failure("a number is too large") }
        return .number(value)
    }

    private mutating func skipDigits() throws(EngineError) {
        let start = at
        while at < bytes.count, UInt8(ascii: "0")...UInt8(ascii: "9") ~= bytes[at] { at += 1 }
        guard at > start else { throw failure("expected a value") }
    }
}
