internal import Synchronization

/// Looks for the graph that rows come from. It can stop at any time and has the best graph so far.
///
/// ```swift
/// let discovery = try Discovery(StructuralDataset(values), variables: [Variable("dose"), Variable("effect")])
/// try discovery.run()
/// let graph = try discovery.graph()
/// ```
public final class Discovery {
    public let variables: [Variable]
    public let options: DiscoveryOptions
    /// Whether the search is over, and not just stopped.
    public private(set) var isFinished = false

    /// The variable of each number that variables have here: an order that does not depend on that of the columns.
    private let canonical: [Int]
    private let place: [Int]
    private var problem: DiscoveryProblem
    private var score: any LocalScore
    private var search: any GraphSearch
    /// Where it is not known what the conditions of rows changed.
    private let regimes: Regimes?
    /// By `regime * columns + variable`, in the numbers of the search.
    private var targets: [Bool] = []
    private var targetSearch: TargetSearch?
    private var roundsDone = 0
    /// What was known to be set.
    private let given: StructuralDataset
    private var replicates: [Replicate] = []
    private let isCancelled = Atomic<Bool>(false)

    /// - Throws: `.shape` and `.value` for data in which nothing can be looked for, naming the variable: a number that is missing, a column that is
    ///   constant or that others determine; `.value` and `.cycle` for knowledge that contradicts itself.
    public init(_ data: StructuralDataset, variables: [Variable], options: DiscoveryOptions = .init()) throws(EngineError) {
        try options.validate()
        let names = try Graph(count: variables.count, names: variables.map(\.name), edges: []).names
        try DiscoveryData.check(data, variables)
        let knowledge = try options.knowledge.resolved(names)
        canonical = DiscoveryData.canonicalOrder(data)
        var place = [Int](repeating: 0, count: variables.count)
        for (k, variable) in canonical.enumerated() { place[variable] = k }
        self.place = place
        self.variables = variables
        self.options = options
        given = try data.columns(canonical)
        regimes = options.regimes.isEmpty ? nil : try Regimes(options.regimes, rows: data.rows)
        targets = [Bool](repeating: false, count: (regimes?.count ?? 0) * variables.count)
        problem = DiscoveryProblem(data: given, variables: canonical.map { variables[$0] }, knowledge: try knowledge.renumbered(canonical),
                                   options: options)
        score = try problem.score(weights: nil)
        if problem.variables.allSatisfy({ $0.kind == .real }) {
            let covariances = if let gaussian = score as? GaussianScore { gaussian.covariances } else { try Covariances(problem.data) }
            try DiscoveryData.checkIndependent(covariances, problem.variables.map(\.name))
        }
        search = try problem.search(score, weights: nil, index: 0)
        replicates = (0..<options.bootstrap).map { Replicate($0) }
    }

    /// Searches for about `seconds`; call it again to go on. True when it is over.
    @discardableResult
    public func run(seconds: Double = .infinity) throws(EngineError) -> Bool {
        let end = now() + seconds
        func shouldStop() -> Bool { isCancelled.load(ordering: .relaxed) || now() >= end }
        guard try runRounds(shouldStop: shouldStop) else { return false }
        let open = replicates.filter { !$0.isFinished }
        nonisolated(unsafe) var failure: EngineError?
        let lock = Lock(), problem = problem
        Threads.run(chunks: open.count, work: Int.max) { k in
            guard !shouldStop(), lock.withLock({ failure == nil }) else { return }
            do throws(EngineError) {
                try open[k].run(problem, shouldStop: shouldStop)
            } catch {
                lock.withLock { failure = error }
            }
        }
        if let failure { throw failure }
        isFinished = replicates.allSatisfy(\.isFinished)
        return isFinished
    }

    private static let mostRounds = 3

    /// Searches; and where there are regimes, looks for what they changed and searches again with that, until nothing new is found.
    private func runRounds(shouldStop: () -> Bool) throws(EngineError) -> Bool {
        while true {
            guard try search.run(shouldStop: shouldStop) else { return false }
            guard let regimes, roundsDone < Self.mostRounds else { return true }
            if targetSearch == nil {
                targetSearch = TargetSearch(given, search.best.parents, regimes, targets: targets, penalty: options.penalty,
                                            random: Random(seed: options.seed, purpose: .searching, index: roundsDone))
            }
            guard try targetSearch!.run(shouldStop: shouldStop) else { return false }
            let found = targetSearch!.found
            targetSearch = nil
            roundsDone += 1
            guard found != targets else {
                roundsDone = Self.mostRounds
                return true
            }
            targets = found
            // The last look is at the graph that stays.
            guard roundsDone < Self.mostRounds else { return true }
            let count = variables.count, labels = regimes.labels
            problem = problem.with(try given.marking { found[labels[$0] * count + $1] })
            score = try problem.score(weights: nil)
            search = try problem.search(score, weights: nil, index: 0)
        }
    }

    /// For each regime the variables that come about in another way there, as far as is known by now.
    ///
    /// - Throws: `.state` where there are no regimes.
    public func changedVariables() throws(EngineError) -> [[Int]] {
        guard let regimes else { throw EngineError(.state, "discovery: what regimes changed, expected data with regimes") }
        let count = variables.count
        return (0..<regimes.count).map { regime in (0..<count).filter { targets[regime * count + place[$0]] } }
    }

    /// Ends `run` from another thread; what was found stays.
    public func cancel() { isCancelled.store(true, ordering: .relaxed) }

    /// The share that is done, 0 to 1.
    public var progress: Double {
        let rounds = regimes == nil ? 1.0 : Double(Self.mostRounds), done = regimes == nil ? 0 : Double(min(roundsDone, Self.mostRounds - 1))
        let own = roundsDone == Self.mostRounds ? 1 : (done + search.progress) / rounds
        return (own + replicates.reduce(0) { $0 + $1.progress }) / Double(1 + replicates.count)
    }

    /// The best score so far: how much better the graph is than none, as half of a Bayesian information criterion.
    public var bestScore: Double { get throws(EngineError) { options.score.isSmooth ? try score(of: directedGraph()) : search.best.score } }

    /// The best directed graph so far: one of those that are equally good.
    public func directedGraph() throws(EngineError) -> Graph { try directed(search.best.parents) }

    /// What the best graph so far says: edges without a direction where the data, and what was known, leave it open.
    public func graph() throws(EngineError) -> Graph { try classGraph(search.best.parents) }

    /// The score of any graph of the variables.
    public func score(of graph: Graph) throws(EngineError) -> Double {
        guard graph.count == variables.count else {
            throw EngineError(.shape, "discovery: a graph of \(graph.count) variables, expected \(variables.count)")
        }
        try graph.expectKnownEdges()
        let score = try problem.exactScore(score, candidates: canonical.map { variable throws(EngineError) in try graph.parents(of: variable).map { place[$0] }.sorted() })
        let evaluation = Evaluation(count: graph.count)
        var total = 0.0
        for variable in 0..<graph.count {
            let own = place[variable]
            try graph.parents(of: variable).map { UInt16(place[$0]) }.sorted().withUnsafeBufferPointer { parents throws(EngineError) in
                guard parents.count <= score.mostParents(of: own) else {
                    throw EngineError(.value, "discovery: \(graph.names[variable]) has \(parents.count) parents, and the rows can tell of \(score.mostParents(of: own))")
                }
                score.evaluate(own, parents: parents, into: evaluation)
            }
            total += evaluation.score
        }
        return total
    }

    /// Of the samples that are done: how often each edge was there, as `[cause * count + effect]`, and as one without direction, which is
    /// symmetric. Both are 0 where there are no samples.
    public func frequencies() throws(EngineError) -> (directed: [Double], undirected: [Double], samples: Int) {
        let count = variables.count, done = replicates.filter(\.isFinished)
        var directed = [Double](repeating: 0, count: count * count), undirected = directed
        for replicate in done {
            for edge in try classGraph(replicate.parents).edges {
                if let (cause, effect) = edge.direction {
                    directed[cause * count + effect] += 1
                } else {
                    undirected[edge.first * count + edge.second] += 1
                    undirected[edge.second * count + edge.first] += 1
                }
            }
        }
        let all = Double(max(done.count, 1))
        return (directed.map { $0 / all }, undirected.map { $0 / all }, done.count)
    }

    /// Of a network, for each edge, as `[cause * count + effect]`, the probability that its gate is open, before edges are pruned: the mean of
    /// all networks.
    ///
    /// - Throws: `.state` for another score, which has no gates.
    public func gates() throws(EngineError) -> [Double] {
        guard let search = search as? GateSearch else {
            throw EngineError(.state, "discovery: gates of a search by \(options.score), expected the score network")
        }
        let gates = search.gates, count = variables.count
        return (0..<count * count).map { gates[place[$0 / count] * count + place[$0 % count]] }
    }

    /// Pairs of variables of which the data say that a hidden common cause stands behind the edge between them, the clearest first. That none is found does
    /// not mean that there is none.
    ///
    /// - Throws: `.state` for a score other than that of linear Gaussian mechanisms, by which it is tested.
    public func hiddenCauses() throws(EngineError) -> [HiddenCause] {
        guard let gaussian = score as? GaussianScore else {
            throw EngineError(.state, "discovery: hidden causes under \(options.score) of these variables, expected the score bic and real variables")
        }
        return try HiddenCauseSearch(given, gaussian.covariances, penalty: options.penalty).hiddenCauses(in: directedGraph(), number: place)
    }

    private func directed(_ parents: [[UInt16]]) throws(EngineError) -> Graph {
        try Graph(count: variables.count, names: variables.map(\.name), edges: parents.enumerated().flatMap { effect, causes in
            causes.map { Graph.Edge(from: canonical[Int($0)], to: canonical[effect]) }
        })
    }

    private func classGraph(_ parents: [[UInt16]]) throws(EngineError) -> Graph {
        let graph = try directed(parents)
        // A score that tells directions apart leaves none open.
        guard score.isEquivalent else { return graph }
        let targets = Patterns(problem.data).targets
        return try graph.equivalenceClass { cause, effect in
            !problem.knowledge.isAllowed(place[effect], place[cause]) || targets.contains { $0[place[cause]] != $0[place[effect]] }
        }
    }
}

/// What is looked for, and in what; variables have the numbers of the search.
private struct DiscoveryProblem: Sendable {
    let data: StructuralDataset
    let variables: [Variable]
    let knowledge: SearchKnowledge
    let options: DiscoveryOptions

    /// The same with other data of the same variables.
    func with(_ data: StructuralDataset) -> DiscoveryProblem {
        DiscoveryProblem(data: data, variables: variables, knowledge: knowledge, options: options)
    }

    func score(weights: [Int]?) throws(EngineError) -> any LocalScore { try DiscoveryData.score(data, variables, options, weights: weights) }

    func search(_ score: any LocalScore, weights: [Int]?, index: Int) throws(EngineError) -> any GraphSearch {
        let restarts = options.restarts(variables: variables.count), random = Random(seed: options.seed, purpose: .searching, index: index)
        switch options.score {
        case .bic, .bdeu: return OrderSearch(score, knowledge, restarts: restarts, random: random)
        case .nonlinear: return RefinedSearch(score, knowledge, data, weights: weights, restarts: restarts, random: random, penalty: options.penalty)
        case .network:
            let rows = try GateRows(data, knowledge, score, weights: weights, penalty: options.penalty)
            return try GateSearch(rows, networks: restarts + 1, random: random)
        }
    }

    /// The score by which graphs are compared in the end.
    func exactScore(_ score: any LocalScore, candidates: [[Int]]) throws(EngineError) -> any LocalScore {
        guard options.score.isSmooth else { return score }
        let functions = SmoothFunctions.all(data)
        var families: [InteractionScore.Family] = []
        for (v, own) in candidates.enumerated() { families.append(try InteractionScore.Family(v, candidates: own, data, functions, weights: nil)) }
        return InteractionScore(families, rows: data.rows, penalty: options.penalty)
    }
}

/// The search in one sample of the rows.
private final class Replicate: @unchecked Sendable {
    private let index: Int
    private var search: (any GraphSearch)?
    private(set) var isFinished = false
    private(set) var parents: [[UInt16]] = []

    init(_ index: Int) { self.index = index }

    var progress: Double { isFinished ? 1 : search?.progress ?? 0 }

    func run(_ problem: DiscoveryProblem, shouldStop: () -> Bool) throws(EngineError) {
        if search == nil {
            var random = Random(seed: problem.options.seed, purpose: .resampling, index: index)
            var weights = [Int](repeating: 0, count: problem.data.rows)
            for _ in weights.indices { weights[random.index(below: weights.count)] += 1 }
            search = try problem.search(try problem.score(weights: weights), weights: weights, index: 1 + index)
        }
        guard let search, try search.run(shouldStop: shouldStop) else { return }
        parents = search.best.parents
        self.search = nil
        isFinished = true
    }
}
