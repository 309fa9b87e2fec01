internal import Glibc

/// Looks for the graph of the best score: improves an order by moving one variable at a time until no move gains, and then again from the best so
/// far after a few moves at random (iterated local search, Lourenço et al. 2003), or after putting variables in another order that fits the same
/// graph. It can stop and go on at any time.
final class OrderSearch {
    private let state: OrderState
    private let sets: ParentSets
    private let count: Int
    private let restarts: Int
    private var random: Random

    private(set) var isFinished = false
    /// By variable, of the best graph so far.
    private(set) var bestParents: [[UInt16]]
    private(set) var bestScore = -Double.infinity
    private var bestOrder: [Int] = []
    private(set) var restartsDone = 0

    private var waiting: [Int]
    private var turns: [Int] = []
    private var turn = 0
    private var quiet = 0
    private var stale = 0

    private static let mostBytes = 512 << 20

    init(_ score: any LocalScore, _ knowledge: SearchKnowledge, restarts: Int, random: Random) {
        count = score.count
        sets = ParentSets(score, knowledge)
        state = OrderState(sets, required: knowledge.required)
        self.restarts = restarts
        self.random = random
        waiting = knowledge.orderOfRequired().reversed()
        bestParents = knowledge.required
    }

    /// 0 to 1.
    var progress: Double { isFinished ? 1 : Double(restartsDone) / Double(restarts + 1) }

    /// Searches until it is over or told to stop; true when it is over.
    func run(shouldStop: () -> Bool) -> Bool {
        while !isFinished, !shouldStop() { step() }
        return isFinished
    }

    /// One variable gets its place.
    private func step() {
        if let variable = waiting.popLast() {
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
            bestParents = state.parents
            bestOrder = Array(state.order)
            stale = 0
        } else {
            if score > bestScore - sets.tolerance { bestParents = state.parents; bestOrder = Array(state.order) }
            stale += 1
        }
        restartsDone += 1
        if restartsDone > restarts || count < 2 {
            isFinished = true
            return
        }
        state.take(linearExtension(), parents: bestParents)
        let m = Tuning.kicks
        if stale >= Tuning.plateau {
        for _ in 0..<m {
            let v = random.index(below: count)
            let w = Tuning.width == 0 ? random.index(below: count) : min(max(0, state.place(of: v) + random.index(below: 2 * Tuning.width + 1) - Tuning.width), count - 1)
            state.move(v, to: w)
        }
        }
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
        let order = Array(state.order), parents = state.parents
        sets.removeAll()
        state.take(order, parents: parents)
    }
    var setCount: Int { sets.size }
}
enum Tuning {
    static func e(_ n: String, _ d: Int) -> Int { getenv(n).flatMap { Int(String(cString: $0)) } ?? d }
    static let kicks = e("KICKS", 4), width = e("WIDTH", 0), plateau = e("PLATEAU", 0)
}
