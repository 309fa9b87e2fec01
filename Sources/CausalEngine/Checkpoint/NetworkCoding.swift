internal import CausalKernels

extension Network {
    /// The network as text (JSON), as checkpoints hold it.
    public var text: String { json.text }

    /// A network that `text` wrote.
    ///
    /// - Throws: `.file` where the text does not describe a network.
    public init(text: String) throws(EngineError) { try self.init(JSON(parsing: text.utf8)) }

    var json: JSON {
        .object([JSON.Member(name: "nodes", value: .array(nodes.map(\.json))), JSON.Member(name: "output", value: .integer(output))])
    }

    /// - Throws: `.file` where the text does not describe a network.
    init(_ json: JSON) throws(EngineError) {
        guard let nodes = json["nodes"]?.array, let output = json["output"]?.integer else {
            throw EngineError(.file, "network: it has no nodes or no output")
        }
        guard let first = nodes.first, case .input = try Description(first).operation else {
            throw EngineError(.file, "network: its first node is not the input")
        }
        self.init(inputs: try Description(first).width)
        for node in nodes.dropFirst() {
            let description = try Description(node)
            add(description.name, width: description.width, description.operation)
        }
        self.output = output
        do {
            try validate()
        } catch {
            throw EngineError(.file, "network: \(error.message)")
        }
    }
}

extension Network.Description {
    fileprivate var json: JSON {
        var members: [JSON.Member] = []
        func member(_ name: String, _ value: JSON) { members.append(JSON.Member(name: name, value: value)) }
        switch operation {
        case .input:
            member("operation", .string("input"))
        case .linear(let from, let hasBias, let edges):
            member("operation", .string("linear"))
            member("from", .integer(from))
            member("bias", .bool(hasBias))
            if let edges { member("edges", .string(edges.text)) }
        case .bias(let from):
            member("operation", .string("bias"))
            member("from", .integer(from))
        case .activation(let activation, let from):
            member("operation", .string("activation"))
            member("function", .string(activation.rawValue))
            member("from", .integer(from))
        case .site(let from):
            member("operation", .string("site"))
            member("from", .integer(from))
        case .cut(let from):
            member("operation", .string("cut"))
            member("from", .integer(from))
        case .again(let site, let from):
            member("operation", .string("again"))
            member("site", .integer(site))
            member("from", .integer(from))
        case .concatenate(let parts):
            member("operation", .string("concatenate"))
            member("parts", .array(parts.map(JSON.integer)))
        case .sum(let parts):
            member("operation", .string("sum"))
            member("parts", .array(parts.map(JSON.integer)))
        case .columns(let from, let first):
            member("operation", .string("columns"))
            member("from", .integer(from))
            member("first", .integer(first))
        }
        member("width", .integer(width))
        if !name.isEmpty { member("name", .string(name)) }
        return .object(members)
    }

    fileprivate init(_ json: JSON) throws(EngineError) {
        func failure(_ what: String) -> EngineError { EngineError(.file, "network: a node has no proper \(what)") }
        func integer(_ name: String) throws(EngineError) -> Int {
            guard let value = json[name]?.integer else { throw failure(name) }
            return value
        }
        func parts() throws(EngineError) -> [Int] {
            guard let list = json["parts"]?.array else { throw failure("parts") }
            var parts: [Int] = []
            for part in list {
                guard let part = part.integer else { throw failure("parts") }
                parts.append(part)
            }
            return parts
        }
        let width = try integer("width")
        let operation: Network.Operation
        switch json["operation"]?.string {
        case "input": operation = .input
        case "linear":
            guard let hasBias = json["bias"]?.bool else { throw failure("bias") }
            let edges = try json["edges"].map { text throws(EngineError) in
                guard let text = text.string else { throw failure("edges") }
                return try Edges(outputs: width, text: text)
            }
            operation = .linear(from: try integer("from"), hasBias: hasBias, edges: edges)
        case "bias": operation = .bias(from: try integer("from"))
        case "activation":
            guard let activation = json["function"]?.string.flatMap(Activation.init(rawValue:)) else { throw failure("function") }
            operation = .activation(activation, from: try integer("from"))
        case "site": operation = .site(from: try integer("from"))
        case "cut": operation = .cut(from: try integer("from"))
        case "again": operation = .again(site: try integer("site"), from: try integer("from"))
        case "concatenate": operation = .concatenate(try parts())
        case "sum": operation = .sum(try parts())
        case "columns": operation = .columns(from: try integer("from"), first: try integer("first"))
        default: throw failure("operation")
        }
        self.init(name: json["name"]?.string ?? "", width: width, operation: operation)
    }
}

extension Edges {
    /// One character, 0 or 1, an edge.
    fileprivate var text: String { String(decoding: isThere.map { $0 != 0 ? UInt8(ascii: "1") : UInt8(ascii: "0") }, as: UTF8.self) }

    fileprivate init(outputs: Int, text: String) throws(EngineError) {
        guard outputs > 0, text.utf8.count % outputs == 0, text.utf8.allSatisfy({ $0 == UInt8(ascii: "0") || $0 == UInt8(ascii: "1") }) else {
            throw EngineError(.file, "network: a node has no proper edges")
        }
        try self.init(outputs: outputs, inputs: text.utf8.count / outputs, isThere: text.utf8.map { $0 == UInt8(ascii: "1") })
    }
}
