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

/// Looks for the graph of the best score: improves an order by moving one variable at a time until no move gains, and then again and again after
/// a small disturbance of the best so far, until that was in vain often enough (iterated local search, Lourenço et al. 2003). Only what a
/// disturbance and its consequences reach is looked at again, until the graph is better than the best one.
final class OrderSearch: GraphSearch {
    private let state: OrderState
    private let sets: ParentSets
    private let count: Int
    private let restarts: Int
    private var random: Random
    private let required: [[UInt16]]

    private(set) var isFinished = false
    private var found: OrderState.Snapshot?
    private var bestScore = -Double.infinity
    /// The score when all variables were looked at last.
    private var sweptScore = -Double.infinity
    /// How often the search has begun again since the best graph was found, and the most that it ever had.
    private var restartsInVain = 0
    private var mostInVain = 0

    /// Variables without a place yet, and for each the most that it gains from one that has a place.
    private var waiting: [Int]
    private var links: [Double]

    /// Of the sets that are remembered; beyond that they are forgotten, and found again where they are needed.
    private static let mostBytes = 512 << 20

    init(_ score: any LocalScore, _ knowledge: SearchKnowledge, restarts: Int, random: Random) {
        count = score.count
        sets = ParentSets(score, knowledge)
        state = OrderState(sets, required: knowledge.required)
        self.restarts = restarts
        self.random = random
        required = knowledge.required
        waiting = Array(0..<count)
        links = [Double](repeating: 0, count: count)
    }

    /// Whether there was a graph that no move makes better.
    var hasArrived: Bool { found != nil }

    var best: (parents: [[UInt16]], score: Double) {
        guard let found else { return (state.parents(otherwise: required), state.score) }
        return (found.chosen.map { Array(sets.parents($0)) }, bestScore)
    }

    var progress: Double { isFinished ? 1 : Double(mostInVain) / Double(restarts + 1) }

    func run(shouldStop: () -> Bool) -> Bool {
        while !isFinished, !shouldStop() { step() }
        return isFinished
    }

    /// One variable gets its place.
    private func step() {
        if let variable = nextToAppend() {
            state.append(variable)
            _ = state.improve(variable)
            return
        }
        if sets.bytes > Self.mostBytes { forget() }
        if let variable = state.unsettled.draw(&random) {
            _ = state.improve(variable)
        } else {
            arrive()
        }
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

    /// No move gains any more, of the variables that were looked at.
    private func arrive() {
        let score = state.score
        if score > bestScore + sets.tolerance {
            if score > sweptScore + sets.tolerance {
                sweptScore = score
                state.unsettled.insertAll()
                return
            }
            bestScore = score
            found = state.snapshot()
            restartsInVain = 0
        } else if score > bestScore - sets.tolerance {
            // As good: to go on from there leads to more graphs than to stay.
            found = state.snapshot()
        } else if let found {
            state.restore(found)
        }
        if restartsInVain == restarts || count < 2 {
            isFinished = true
            return
        }
        restartsInVain += 1
        mostInVain = max(mostInVain, restartsInVain)
        state.disturb(&random)
    }

    private func forget() {
        let order = Array(state.order), parents = state.parents(otherwise: required), former = found.map { ($0.order, best.parents) }
        sets.removeAll()
        if let (order, parents) = former {
            state.take(order, parents: parents)
            found = state.snapshot()
        }
        state.take(order, parents: parents)
    }
}
