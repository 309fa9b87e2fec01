/// An order of variables, with the best parents that each has found among those before it, and moves that improve the score.
///
/// To move one variable changes, besides its own, only the parents of those that it passes, and each of these only by having it before or not: so
/// all places are compared at the price of one walk in each direction (as BOSS does, Andrews et al. 2023), and parents are looked for from the
/// present ones on (as FLOP does, Wienöbst et al. 2025).
final class OrderState {
    let sets: ParentSets
    let count: Int
    /// How many of the variables have a place yet.
    private(set) var length = 0
    let order: UnsafeMutableBufferPointer<Int>
    let position: UnsafeMutableBufferPointer<Int>
    /// By variable.
    let chosen: UnsafeMutableBufferPointer<ParentSets.Number>
    /// By place: what the variable there would have as parents if the moved one passed it, and what that one would have if it went there.
    private let passed: UnsafeMutableBufferPointer<ParentSets.Number>
    private let arrived: UnsafeMutableBufferPointer<ParentSets.Number>
    private let before: VariableBits
    /// Variables whose best place may be another one than it was when they were last looked at.
    var unsettled: Unsettled
    /// By variable, what must come after it, and before.
    private let requiredChildren: [[UInt16]]
    private let requiredParents: [[UInt16]]

    init(_ sets: ParentSets, required: [[UInt16]]) {
        self.sets = sets
        count = sets.count
        order = .allocate(capacity: count)
        position = .allocate(capacity: count)
        chosen = .allocate(capacity: count)
        passed = .allocate(capacity: count)
        arrived = .allocate(capacity: count)
        order.initialize(repeating: 0)
        position.initialize(repeating: 0)
        for numbers in [chosen, passed, arrived] { numbers.initialize(repeating: -1) }
        before = VariableBits(variables: count)
        unsettled = Unsettled(variables: count)
        requiredParents = required
        var children = [[UInt16]](repeating: [], count: count)
        for (child, parents) in required.enumerated() { for parent in parents { children[Int(parent)].append(UInt16(child)) } }
        requiredChildren = children
    }

    deinit {
        order.deallocate()
        position.deallocate()
        chosen.deallocate()
        passed.deallocate()
        arrived.deallocate()
        before.deallocate()
    }

    var score: Double { (0..<length).reduce(0) { $0 + sets.score(chosen[order[$1]]) } }

    /// By variable; of those without a place yet what is told instead.
    func parents(otherwise: [[UInt16]]) -> [[UInt16]] {
        var parents = otherwise
        for place in 0..<length { parents[order[place]] = Array(sets.parents(chosen[order[place]])) }
        return parents
    }

    /// Puts a variable last.
    func append(_ variable: Int) {
        before.removeAll()
        for k in 0..<length { before.insert(order[k]) }
        order[length] = variable
        position[variable] = length
        chosen[variable] = sets.improve(sets.least(variable), before: before.words)
        length += 1
    }

    /// Takes over an order and parents that agree with it, and improves these.
    func take(_ order: [Int], parents: [[UInt16]]) {
        length = count
        before.removeAll()
        for (place, variable) in order.enumerated() {
            self.order[place] = variable
            position[variable] = place
            chosen[variable] = sets.improve(sets.find(variable, parents[variable]), before: before.words)
            before.insert(variable)
        }
    }

    /// An order, and by variable the parents that go with it.
    struct Snapshot {
        let order: [Int]
        let chosen: [ParentSets.Number]
    }

    func snapshot() -> Snapshot { Snapshot(order: Array(order), chosen: Array(chosen)) }

    func restore(_ snapshot: Snapshot) {
        for (place, variable) in snapshot.order.enumerated() {
            order[place] = variable
            position[variable] = place
            chosen[variable] = snapshot.chosen[variable]
        }
    }

    /// Moves a variable, whatever that does to the score.
    func move(_ variable: Int, to place: Int) {
        let range = possiblePlaces(variable), place = min(max(place, range.lowerBound), range.upperBound)
        look(variable, range)
        go(variable, to: place)
    }

    /// Moves a variable to where it is best; false where it is there already.
    func improve(_ variable: Int) -> Bool {
        let range = possiblePlaces(variable)
        let (place, gain) = look(variable, range)
        guard gain > sets.tolerance else { return false }
        go(variable, to: place)
        return true
    }

    private func possiblePlaces(_ variable: Int) -> ClosedRange<Int> {
        var first = 0, last = length - 1
        for parent in requiredParents[variable] { first = max(first, position[Int(parent)] + 1) }
        for child in requiredChildren[variable] where position[Int(child)] < length && order[position[Int(child)]] == Int(child) {
            last = min(last, position[Int(child)] - 1)
        }
        return first...last
    }

    /// Fills `passed` and `arrived`, and tells which place is best.
    @discardableResult
    private func look(_ variable: Int, _ range: ClosedRange<Int>) -> (place: Int, gain: Double) {
        let from = position[variable], own = sets.score(chosen[variable])
        var best = (place: from, gain: 0.0)
        before.removeAll()
        for k in 0..<from { before.insert(order[k]) }

        var change = 0.0, set = chosen[variable], place = from + 1
        while place <= range.upperBound {
            let other = order[place], its = chosen[other]
            if sets.has(variable, its) {
                let without = sets.improve(sets.leaving(its, parent: variable), before: before.words)
                passed[place] = without
                change += sets.score(without) - sets.score(its)
            } else {
                passed[place] = its
            }
            before.insert(other)
            if sets.wants(other, set) { set = sets.improve(set, before: before.words) }
            arrived[place] = set
            let gain = change + sets.score(set) - own
            if gain > best.gain + sets.tolerance { best = (place, gain) }
            place += 1
        }

        while place > from + 1 {
            place -= 1
            before.remove(order[place])
        }
        change = 0
        set = chosen[variable]
        place = from - 1
        before.insert(variable)
        while place >= range.lowerBound {
            let other = order[place], its = chosen[other]
            before.remove(other)
            if sets.wants(variable, its) {
                let with = sets.improve(its, before: before.words)
                passed[place] = with
                change += sets.score(with) - sets.score(its)
            } else {
                passed[place] = its
            }
            before.remove(variable)
            if sets.has(other, set) { set = sets.improve(sets.leaving(set, parent: other), before: before.words) }
            before.insert(variable)
            arrived[place] = set
            let gain = change + sets.score(set) - own
            if gain > best.gain + sets.tolerance { best = (place, gain) }
            place -= 1
        }
        return best
    }

    /// Moves a variable as it was looked at before.
    private func go(_ variable: Int, to place: Int) {
        let from = position[variable]
        guard place != from else { return }
        chosen[variable] = arrived[place]
        unsettled.insert(variable)
        let step = place > from ? 1 : -1
        var k = from
        while k != place {
            let other = order[k + step]
            if chosen[other] != passed[k + step] {
                chosen[other] = passed[k + step]
                unsettled.insert(other)
            }
            order[k] = other
            position[other] = k
            k += step
        }
        order[place] = variable
        position[variable] = place
    }
}
