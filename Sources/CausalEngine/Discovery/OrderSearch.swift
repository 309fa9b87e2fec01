/// A search that can stop and go on at any time.
protocol GraphSearch: AnyObject {
    var isFinished: Bool { get }
    /// The share that is done, 0 to 1.
    var progress: Double { get }
    /// By variable the parents in the best graph so far, and its score.
    var best: (parents: [[UInt16]], score: Double) { get }
    /// Searches until it is over or told to stop; true when it is over.
    func run(shouldStop: () -> Bool) throws(EngineError) -> Bool
}

/// Looks for the graph of the best score: improves an order by moving one variable at a time until no move gains, and then again from the best so
/// far after a few moves at random (iterated local search, Lourenço et al. 2003), or after putting variables in another order that fits the same
/// graph.
final class OrderSearch: GraphSearch {
    private let state: OrderState
    private let sets: ParentSets
    private let count: Int
    private let restarts: Int
    private var random: Random
    private let required: [[UInt16]]

    private(set) var isFinished = false
    private var bestParents: [[UInt16]]
    private var bestScore = -Double.infinity
    private var restartsDone = 0

    /// Variables without a place yet, and for each the most that it gains from one that has a place.
    private var waiting: [Int]
    private var links: [Double]
    /// Variables in the order in which they are tried, whose turn it is, and how many in a row found no better place.
    private var turns: [Int] = []
    private var turn = 0
    private var quiet = 0

    /// Of the sets that are remembered; beyond that they are forgotten, and found again where they are needed.
    private static let mostBytes = 512 << 20
    /// Moves at random before the search begins again.
    private static let kicks = 4

    init(_ score: any LocalScore, _ knowledge: SearchKnowledge, restarts: Int, random: Random) {
        count = score.count
        sets = ParentSets(score, knowledge)
        state = OrderState(sets, required: knowledge.required)
        self.restarts = restarts
        self.random = random
        required = knowledge.required
        waiting = Array(0..<count)
        links = [Double](repeating: 0, count: count)
        bestParents = knowledge.required
    }

    /// Whether there was a graph that no move makes better.
    var hasArrived: Bool { bestScore > -.infinity }

    var best: (parents: [[UInt16]], score: Double) {
        bestScore == -.infinity ? (state.parents(otherwise: required), state.score) : (bestParents, bestScore)
    }

    var progress: Double { isFinished ? 1 : Double(restartsDone) / Double(restarts + 1) }

    func run(shouldStop: () -> Bool) -> Bool {
        while !isFinished, !shouldStop() { step() }
        return isFinished
    }

    /// One variable gets its place.
    private func step() {
        if let variable = nextToAppend() {
            state.append(variable)
            _ = state.improve(variable)
            if waiting.isEmpty { beginTurns() }
            return
        }
        if sets.bytes > Self.mostBytes { forget() }
        if turn == turns.count {
            turn = 0
            random.shuffle(&turns)
        }
        quiet = state.improve(turns[turn]) ? 0 : quiet + 1
        turn += 1
        if quiet >= count { arrive() }
    }

    /// The variable that has least to do with those that have a place: causes tend to come first that way. Those that must be its parents are before it.
    private func nextToAppend() -> Int? {
        let isWaiting = Set(waiting)
        guard let place = waiting.indices.filter({ place in !required[waiting[place]].contains { isWaiting.contains(Int($0)) } })
            .min(by: { (links[waiting[$0]], waiting[$0]) < (links[waiting[$1]], waiting[$1]) }) else { return nil }
        let next = waiting.remove(at: place)
        let gains = sets.gainsAlone(next)
        for variable in waiting { links[variable] = max(links[variable], gains[variable]) }
        return next
    }

    private func beginTurns() {
        turns = Array(0..<count)
        random.shuffle(&turns)
        turn = 0
        quiet = 0
    }

    /// No move gains any more.
    private func arrive() {
        let score = state.score
        if score > bestScore + sets.tolerance {
            bestScore = score
            bestParents = state.parents(otherwise: required)
        } else if score > bestScore - sets.tolerance {
            // As good: to go on from there leads to more graphs than to stay.
            bestParents = state.parents(otherwise: required)
        }
        restartsDone += 1
        if restartsDone > restarts || count < 2 {
            isFinished = true
            return
        }
        state.take(linearExtension(), parents: bestParents)
        for _ in 0..<Self.kicks { state.move(random.index(below: count), to: random.index(below: count)) }
        beginTurns()
    }

    /// An order that fits the best graph, at random.
    private func linearExtension() -> [Int] {
        var unmet = bestParents.map(\.count), children = [[Int]](repeating: [], count: count), ready: [Int] = [], order: [Int] = []
        for (child, parents) in bestParents.enumerated() {
            if parents.isEmpty { ready.append(child) }
            for parent in parents { children[Int(parent)].append(child) }
        }
        while !ready.isEmpty {
            ready.swapAt(random.index(below: ready.count), ready.count - 1)
            let next = ready.removeLast()
            order.append(next)
            for child in children[next] {
                unmet[child] -= 1
                if unmet[child] == 0 { ready.append(child) }
            }
        }
        return order
    }

    private func forget() {
        let order = Array(state.order), parents = state.parents(otherwise: required)
        sets.removeAll()
        state.take(order, parents: parents)
    }
}
