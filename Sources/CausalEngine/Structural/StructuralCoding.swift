internal import CausalKernels

// A structural model's description as texts (JSON), as checkpoints hold it.

extension Graph {
    /// Names and, for each variable, the numbers of its causes and of those after it with which it shares a hidden cause: "0 3 5".
    var json: JSON {
        func list(_ numbers: some Sequence<UInt16>) -> JSON { .string(numbers.map { "\($0)" }.joined(separator: " ")) }
        return .object([
            JSON.Member(name: "names", value: .array(names.map(JSON.string))),
            JSON.Member(name: "parents", value: .array((0..<count).map { list(parents[$0]) })),
            JSON.Member(name: "confounded", value: .array((0..<count).map { v in list(siblings[v].filter { Int($0) > v }) })),
        ])
    }

    /// - Throws: `.file` where it does not describe a graph, and what the graph itself finds.
    init(_ json: JSON) throws(EngineError) {
        let names = try json.list("names", of: "graph", \.string)
        func lists(_ name: String) throws(EngineError) -> [[Int]] {
            let lists = try json.list(name, of: "graph") { $0.string.flatMap(numbers) }
            guard lists.count == names.count else { throw EngineError(.file, "graph: \(name) of \(lists.count) variables, expected \(names.count)") }
            return lists
        }
        var edges: [Edge] = []
        for (effect, causes) in try lists("parents").enumerated() { edges += causes.map { Edge(from: $0, to: effect) } }
        for (first, others) in try lists("confounded").enumerated() { edges += others.map { Edge(first, .arrow, $0, .arrow) } }
        try self.init(count: names.count, names: names, edges: edges)
    }
}

extension Mechanism {
    var json: JSON {
        var members = [JSON.Member(name: "kind", value: .string(name))]
        func network(_ hidden: [Int], _ activation: Activation) {
            members.append(JSON.Member(name: "hidden", value: .array(hidden.map(JSON.integer))))
            members.append(JSON.Member(name: "activation", value: .string(activation.rawValue)))
        }
        switch self {
        case .automatic, .linear, .given: break
        case .additive(let hidden, let activation), .smooth(let hidden, let activation), .locationScale(let hidden, let activation),
             .softmax(let hidden, let activation):
            network(hidden, activation)
        case .flow(let hidden, let activation, let pieces):
            network(hidden, activation)
            members.append(JSON.Member(name: "pieces", value: .integer(pieces)))
        }
        return .object(members)
    }

    /// Widths of the hidden layers of its network.
    var hidden: [Int] {
        switch self {
        case .automatic, .linear, .given: []
        case .additive(let hidden, _), .smooth(let hidden, _), .locationScale(let hidden, _), .flow(let hidden, _, _), .softmax(let hidden, _): hidden
        }
    }

    /// - Throws: `.file` where it does not describe a mechanism.
    init(_ json: JSON) throws(EngineError) {
        func hidden() throws(EngineError) -> [Int] { try json.list("hidden", of: "mechanism", \.integer) }
        func activation() throws(EngineError) -> Activation {
            guard let activation = json["activation"]?.string.flatMap(Activation.init(rawValue:)) else {
                throw EngineError(.file, "mechanism: it has no proper activation")
            }
            return activation
        }
        switch json["kind"]?.string {
        case "auto": self = .automatic
        case "linear": self = .linear
        case "additive": self = .additive(hidden: try hidden(), activation: try activation())
        case "smooth": self = .smooth(hidden: try hidden(), activation: try activation())
        case "location_scale": self = .locationScale(hidden: try hidden(), activation: try activation())
        case "softmax": self = .softmax(hidden: try hidden(), activation: try activation())
        case "flow":
            guard let pieces = json["pieces"]?.integer else { throw EngineError(.file, "mechanism: a flow has no pieces") }
            self = .flow(hidden: try hidden(), activation: try activation(), pieces: pieces)
        default: throw EngineError(.file, "mechanism: its kind is none of auto, linear, additive, smooth, location_scale, flow, softmax")
        }
    }
}

extension Variable.Kind {
    var json: JSON {
        switch self {
        case .real: .object([JSON.Member(name: "kind", value: .string("real"))])
        case .categorical(let levels):
            .object([JSON.Member(name: "kind", value: .string("categorical")), JSON.Member(name: "levels", value: .integer(levels))])
        }
    }

    /// - Throws: `.file` where it does not describe a kind of variable.
    init(_ json: JSON) throws(EngineError) {
        switch (json["kind"]?.string, json["levels"]?.integer) {
        case ("real", nil): self = .real
        case ("categorical", let levels?): self = .categorical(levels: levels)
        default: throw EngineError(.file, "variable: it is neither real nor categorical with levels")
        }
    }
}

extension Standardisation {
    /// The shortest decimals that stand for these very doubles.
    var json: JSON { .object([JSON.Member(name: "mean", value: .number(mean)), JSON.Member(name: "scale", value: .number(scale))]) }

    /// - Throws: `.file` where they are not finite, or the scale is not above 0.
    init(_ json: JSON) throws(EngineError) {
        func number(_ name: String) throws(EngineError) -> Double {
            switch json[name] {
            case .number(let value): return value
            case .integer(let value): return Double(value)
            default: throw EngineError(.file, "standardisation: it has no proper \(name)")
            }
        }
        self.init(mean: try number("mean"), scale: try number("scale"))
        guard isUsable else { throw EngineError(.file, "standardisation: a mean of \(mean) and a scale of \(scale), expected finite numbers, and a scale above 0") }
    }

    var isUsable: Bool { mean.isFinite && scale.isFinite && scale > 0 }
}

extension JSON {
    /// A list, every entry of which is what `read` finds in it.
    ///
    /// - Throws: `.file`, naming the list and what it is part of.
    fileprivate func list<Entry>(_ name: String, of whole: String, _ read: (JSON) -> Entry?) throws(EngineError) -> [Entry] {
        guard let list = self[name]?.array else { throw EngineError(.file, "\(whole): it has no \(name)") }
        var entries: [Entry] = []
        for value in list {
            guard let entry = read(value) else { throw EngineError(.file, "\(whole): its \(name) are not as they should be") }
            entries.append(entry)
        }
        return entries
    }
}

/// Numbers of variables with one space between them; nil where there is anything else.
private func numbers(_ text: String) -> [Int]? {
    guard !text.isEmpty else { return [] }
    var numbers: [Int] = [], number: Int?
    for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"):
            let longer = 10 * (number ?? 0) + Int(byte - UInt8(ascii: "0"))
            guard longer < Graph.mostVariables else { return nil }
            number = longer
        case UInt8(ascii: " "):
            guard let complete = number else { return nil }
            numbers.append(complete)
            number = nil
        default: return nil
        }
    }
    guard let number else { return nil }
    return numbers + [number]
}
