/// What a search must respect, by the numbers of its variables.
struct SearchKnowledge {
    let mostParents: Int
    /// For each variable those that must be its parents, ascending.
    let required: [[UInt16]]
    /// For each variable, as bits, those that may be its parents.
    private let bits: Storage<UInt64>
    private let words: Int

    /// - Parameter isAllowed: whether the first may be a parent of the second.
    init(count: Int, mostParents: Int, required: [[UInt16]], isAllowed: (Int, Int) -> Bool) throws(EngineError) {
        self.mostParents = mostParents
        self.required = required
        words = VariableBits.words(for: count)
        bits = try Storage<UInt64>(count: count * words, of: "knowledge")
        for child in 0..<count {
            for parent in 0..<count where parent != child && isAllowed(parent, child) {
                bits.pointer[child * words + parent >> 6] |= 1 << UInt64(parent & 63)
            }
        }
    }

    func allowed(_ child: Int) -> UnsafePointer<UInt64> { UnsafePointer(bits.pointer + child * words) }

    func isAllowed(_ parent: Int, _ child: Int) -> Bool { hasBit(allowed(child), parent) }

    /// The same of variables that have other numbers: `number[k]` is the variable that becomes k.
    func renumbered(_ number: [Int]) throws(EngineError) -> SearchKnowledge {
        var place = [Int](repeating: 0, count: number.count)
        for (k, variable) in number.enumerated() { place[variable] = k }
        return try SearchKnowledge(count: number.count, mostParents: mostParents, required: number.map { variable in
            required[variable].map { UInt16(place[Int($0)]) }.sorted()
        }) { isAllowed(number[$0], number[$1]) }
    }

    /// The same where only some may be parents of each variable.
    func restricted(to candidates: [[Int]]) throws(EngineError) -> SearchKnowledge {
        let chosen = candidates.map(Set.init)
        return try SearchKnowledge(count: required.count, mostParents: mostParents, required: required) { isAllowed($0, $1) && chosen[$1].contains($0) }
    }

    /// All variables, each after those that must be its parents, and otherwise by their numbers.
    func orderOfRequired() -> [Int] {
        var order: [Int] = [], isIn = [Bool](repeating: false, count: required.count)
        while order.count < required.count {
            for child in required.indices where !isIn[child] && required[child].allSatisfy({ isIn[Int($0)] }) {
                order.append(child)
                isIn[child] = true
            }
        }
        return order
    }
}
