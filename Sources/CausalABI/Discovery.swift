public import CCausal
internal import CausalEngine
internal import CausalKernels

final class DiscoveryObject: Handled {
    static let kind = Kind.discovery
    let discovery: Discovery
    init(_ discovery: Discovery) { self.discovery = discovery }
}

@_cdecl("causal_discovery_create") @implementation
public func causal_discovery_create(_ discovery: UnsafeMutablePointer<OpaquePointer?>?, _ names: UnsafePointer<UnsafePointer<CChar>?>?,
                                    _ values: UnsafePointer<Double>?, _ isSet: UnsafePointer<UInt8>?, _ rows: Int, _ columns: Int,
                                    _ options: UnsafePointer<causal_discovery_options>?) -> causal_status {
    call {
        let out = try require(discovery, "discovery"), given = try CausalABI.options(options, "options")
        guard (1...Graph.mostVariables).contains(columns) else {
            throw EngineError(.value, "discovery: \(UInt(bitPattern: columns)) columns, expected 1 to \(Graph.mostVariables)")
        }
        let values: MatrixView<Double> = try matrix(values, rows, columns, "values")
        let data = try StructuralDataset(values, isSet: isSet == nil ? nil : try matrix(isSet, rows, columns, "is_set"))
        let variables = try (0..<columns).map { v in
            let levels = try given.levels.map { try size($0[v], "options->levels[\(v)]") } ?? 0
            return Variable(try names.map { try text($0[v], "names[\(v)]") } ?? "x\(v)", levels == 0 ? .real : .categorical(levels: levels))
        }
        out.pointee = try HandleTable.insert(DiscoveryObject(try Discovery(data, variables: variables, options: try discoveryOptions(given, rows, columns))))
    }
}

@_cdecl("causal_discovery_free") @implementation
public func causal_discovery_free(_ discovery: OpaquePointer?) -> causal_status {
    call { try HandleTable.remove(discovery, .discovery) }
}

@_cdecl("causal_discovery_run") @implementation
public func causal_discovery_run(_ discovery: OpaquePointer?, _ seconds: Double, _ finished: UnsafeMutablePointer<CInt>?) -> causal_status {
    call {
        guard !seconds.isNaN else { throw EngineError(.value, "seconds is nan") }
        let isFinished = try HandleTable.owning(discovery, DiscoveryObject.self) { try $0.discovery.run(seconds: seconds) }
        finished?.pointee = isFinished ? 1 : 0
    }
}

@_cdecl("causal_discovery_cancel") @implementation
public func causal_discovery_cancel(_ discovery: OpaquePointer?) -> causal_status {
    call { try HandleTable.peek(discovery, DiscoveryObject.self).discovery.cancel() }
}

@_cdecl("causal_discovery_progress") @implementation
public func causal_discovery_progress(_ discovery: OpaquePointer?, _ progress: UnsafeMutablePointer<Double>?) -> causal_status {
    asking(discovery) { try require(progress, "progress").pointee = $0.progress }
}

@_cdecl("causal_discovery_graph") @implementation
public func causal_discovery_graph(_ discovery: OpaquePointer?, _ graph: UnsafeMutablePointer<OpaquePointer?>?) -> causal_status {
    asking(discovery) { discovery in
        let out = try require(graph, "graph")
        out.pointee = try HandleTable.insert(GraphObject(try discovery.graph()))
    }
}

@_cdecl("causal_discovery_directed_graph") @implementation
public func causal_discovery_directed_graph(_ discovery: OpaquePointer?, _ graph: UnsafeMutablePointer<OpaquePointer?>?) -> causal_status {
    asking(discovery) { discovery in
        let out = try require(graph, "graph")
        out.pointee = try HandleTable.insert(GraphObject(try discovery.directedGraph()))
    }
}

@_cdecl("causal_discovery_score") @implementation
public func causal_discovery_score(_ discovery: OpaquePointer?, _ graph: OpaquePointer?, _ score: UnsafeMutablePointer<Double>?) -> causal_status {
    asking(discovery) { discovery in
        let out = try require(score, "score")
        out.pointee = graph == nil ? try discovery.bestScore : try reading(graph) { try discovery.score(of: $0) }
    }
}

@_cdecl("causal_discovery_frequencies") @implementation
public func causal_discovery_frequencies(_ discovery: OpaquePointer?, _ directed: UnsafeMutablePointer<Double>?,
                                         _ undirected: UnsafeMutablePointer<Double>?, _ count: Int, _ samples: UnsafeMutablePointer<Int>?) -> causal_status {
    asking(discovery) { discovery in
        guard count == discovery.variables.count else {
            throw EngineError(.shape, "\(UInt(bitPattern: count)) variables given, the data have \(discovery.variables.count)")
        }
        let directed = try require(directed, "directed"), undirected = try require(undirected, "undirected"), samples = try require(samples, "samples")
        let found = try discovery.frequencies()
        directed.update(from: found.directed, count: count * count)
        undirected.update(from: found.undirected, count: count * count)
        samples.pointee = found.samples
    }
}

@_cdecl("causal_discovery_gates") @implementation
public func causal_discovery_gates(_ discovery: OpaquePointer?, _ gates: UnsafeMutablePointer<Double>?, _ count: Int) -> causal_status {
    asking(discovery) { discovery in
        guard count == discovery.variables.count else {
            throw EngineError(.shape, "\(UInt(bitPattern: count)) variables given, the data have \(discovery.variables.count)")
        }
        let out = try require(gates, "gates")
        let found = try discovery.gates()
        for (place, gate) in found.enumerated() { out[place] = gate }
    }
}

@_cdecl("causal_discovery_targets") @implementation
public func causal_discovery_targets(_ discovery: OpaquePointer?, _ targets: UnsafeMutablePointer<UInt8>?, _ regimes: Int, _ count: Int) -> causal_status {
    asking(discovery) { discovery in
        let out = try require(targets, "targets"), found = try discovery.changedVariables()
        guard regimes == found.count, count == discovery.variables.count else {
            throw EngineError(.shape, "\(UInt(bitPattern: regimes)) regimes of \(UInt(bitPattern: count)) variables given, the data have \(found.count) of "
                + "\(discovery.variables.count)")
        }
        for place in 0..<regimes * count { out[place] = found[place / count].contains(place % count) ? 1 : 0 }
    }
}

@_cdecl("causal_discovery_hidden_causes") @implementation
public func causal_discovery_hidden_causes(_ discovery: OpaquePointer?, _ evidence: UnsafeMutablePointer<Double>?, _ count: Int) -> causal_status {
    asking(discovery) { discovery in
        guard count == discovery.variables.count else {
            throw EngineError(.shape, "\(UInt(bitPattern: count)) variables given, the data have \(discovery.variables.count)")
        }
        let out = try require(evidence, "evidence"), found = try discovery.hiddenCauses()
        out.update(repeating: 0, count: count * count)
        for pair in found {
            out[pair.first * count + pair.second] = pair.evidence
            out[pair.second * count + pair.first] = pair.evidence
        }
    }
}

private func asking(_ handle: OpaquePointer?, _ body: (Discovery) throws -> Void) -> causal_status {
    call { try HandleTable.reading(handle, DiscoveryObject.self) { try body($0.discovery) } }
}

private func discoveryOptions(_ given: causal_discovery_options, _ rows: Int, _ count: Int) throws -> DiscoveryOptions {
    var options = DiscoveryOptions()
    let score = try text(given.score, "options->score")
    switch score {
    case "bic": options.score = .bic
    case "bdeu": options.score = .bdeu(rows: given.prior_rows)
    case "nonlinear": options.score = .nonlinear
    case "network": options.score = .network
    default: throw EngineError(.value, "options->score is \"\(score)\", expected one of bic, bdeu, nonlinear, network")
    }
    options.penalty = given.penalty
    // SIZE_MAX, seen as a signed number, is -1.
    options.restarts = given.restarts == -1 ? nil : try size(given.restarts, "options->restarts")
    options.bootstrap = try size(given.bootstrap, "options->bootstrap")
    options.seed = given.seed
    options.knowledge.required = edges(given.required, count)
    options.knowledge.forbidden = edges(given.forbidden, count)
    if let tiers = given.tiers { options.knowledge.tiers = try (0..<count).map { tiers[$0] == -1 ? nil : try size(tiers[$0], "options->tiers[\($0)]") } }
    options.knowledge.order = try given.order.map { order in try (0..<count).map { try size(order[$0], "options->order[\($0)]") } }
    options.knowledge.mostParents = given.most_parents == -1 ? nil : try size(given.most_parents, "options->most_parents")
    if let regimes = given.regimes { options.regimes = try (0..<rows).map { try size(regimes[$0], "options->regimes[\($0)]") } }
    return options
}

private func edges(_ matrix: UnsafePointer<UInt8>?, _ count: Int) -> [(cause: Int, effect: Int)] {
    guard let matrix else { return [] }
    var edges: [(Int, Int)] = []
    for i in 0..<count { for j in 0..<count where matrix[i * count + j] != 0 { edges.append((i, j)) } }
    return edges
}
