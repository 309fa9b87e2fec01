internal import Glibc

/// All sets of parents that a search has looked at, each evaluated once. From a set one goes on to those with one parent more or less, along links
/// that are remembered, so that most questions are answered by a bit.
final class ParentSets {
    /// A set of parents of one variable.
    typealias Number = Int32

    private struct Entry {
        var score: Double
        var variable: UInt16
        var parentCount: UInt16
        /// The place of the parent that had better be left out; -1 for none.
        var worst: Int16
        var firstParent: Int
        var firstAddition: Int
        var additionCount: Int
    }

    let count: Int
    let words: Int
    private let score: any LocalScore
    private let knowledge: SearchKnowledge
    private let evaluation: Evaluation
    /// What is gained by less than this is not gained.
    let tolerance: Double

    private let entries = Pool<Entry>()
    /// Of each set two rows of bits: its parents, and the additions that gain.
    private let bits = Pool<UInt64>()
    private let parents = Pool<UInt16>()
    /// Beside each parent, the set without it; -1 where that is not known yet.
    private let without = Pool<Number>()
    /// Beginning with what gains most.
    private let additions = Pool<UInt16>()
    private let with = Pool<Number>()
    private var table: UnsafeMutableBufferPointer<Number>
    private let scratch: UnsafeMutablePointer<UInt16>
    private var order: [(gain: Double, variable: UInt16)] = []

    init(_ score: any LocalScore, _ knowledge: SearchKnowledge) {
        self.score = score
        self.knowledge = knowledge
        tolerance = score.tolerance
        count = score.count
        words = VariableBits.words(for: count)
        evaluation = Evaluation(count: count)
        scratch = .allocate(capacity: count + 1)
        table = .allocate(capacity: 1 << 12)
        table.initialize(repeating: -1)
    }

    deinit {
        scratch.deallocate()
        table.deallocate()
    }

    // MARK: What is known of a set

    @inline(__always) func score(_ set: Number) -> Double { entries.pointer[Int(set)].score }

    @inline(__always) func has(_ parent: Int, _ set: Number) -> Bool { hasBit(bits.pointer + Int(set) * 2 * words, parent) }

    /// Whether the set would be better with one parent more.
    @inline(__always) func wants(_ parent: Int, _ set: Number) -> Bool { hasBit(bits.pointer + (Int(set) * 2 + 1) * words, parent) }

    func parents(_ set: Number) -> UnsafeBufferPointer<UInt16> {
        let entry = entries.pointer[Int(set)]
        return UnsafeBufferPointer(start: parents.pointer + entry.firstParent, count: Int(entry.parentCount))
    }

    /// By variable, what the score of one without parents gains from it.
    func gainsAlone(_ variable: Int) -> [Double] {
        score.evaluate(variable, parents: UnsafeBufferPointer(start: nil, count: 0), into: evaluation)
        return (0..<count).map { $0 == variable ? 0 : evaluation.gains[$0] }
    }

    var bytes: Int { entries.bytes + bits.bytes + parents.bytes + without.bytes + additions.bytes + with.bytes + table.count * MemoryLayout<Number>.stride }

    /// Forgets all sets.
    func removeAll() {
        entries.removeAll()
        bits.removeAll()
        parents.removeAll()
        without.removeAll()
        additions.removeAll()
        with.removeAll()
        table.update(repeating: -1)
    }

    // MARK: From set to set

    /// The set that has only what must be.
    func least(_ variable: Int) -> Number { find(variable, knowledge.required[variable]) }

    func find(_ variable: Int, _ parents: [UInt16]) -> Number {
        for (k, parent) in parents.enumerated() { scratch[k] = parent }
        return find(variable, count: parents.count)
    }

    /// The best set that parents lead to which come one by one, from `set` on: adds what gains most of the variables `before`, then leaves out what is
    /// worst, until nothing gains.
    func improve(_ set: Number, before: UnsafePointer<UInt64>) -> Number {
        var set = set
        while true {
            if let better = addition(to: set, before: before) {
                set = better
            } else if entries.pointer[Int(set)].worst >= 0 {
                let less = leaving(set, place: Int(entries.pointer[Int(set)].worst))
                if score(less) > score(set) + tolerance {
                    set = less
                } else {
                    entries.pointer[Int(set)].worst = -1
                }
            } else {
                return set
            }
        }
    }

    /// The best set of one parent more. A score may only estimate what that gains: where it gains nothing in truth it is wanted no more.
    private func addition(to set: Number, before: UnsafePointer<UInt64>) -> Number? {
        while let (better, parent) = promisingAddition(to: set, before: before) {
            if score(better) > score(set) + tolerance { return better }
            bits.pointer[(Int(set) * 2 + 1) * words + parent >> 6] &= ~(1 << UInt64(parent & 63))
        }
        return nil
    }

    /// The set without one of its parents.
    func leaving(_ set: Number, parent: Int) -> Number {
        let all = parents(set)
        var place = 0
        while Int(all[place]) != parent { place += 1 }
        return leaving(set, place: place)
    }

    private func leaving(_ set: Number, place: Int) -> Number {
        let entry = entries.pointer[Int(set)]
        let known = without.pointer[entry.firstParent + place]
        if known >= 0 { return known }
        var kept = 0
        for k in 0..<Int(entry.parentCount) where k != place {
            scratch[kept] = parents.pointer[entry.firstParent + k]
            kept += 1
        }
        let found = find(Int(entry.variable), count: kept)
        without.pointer[entry.firstParent + place] = found
        return found
    }

    private func promisingAddition(to set: Number, before: UnsafePointer<UInt64>) -> (set: Number, parent: Int)? {
        let wanted = bits.pointer + (Int(set) * 2 + 1) * words
        var common: UInt64 = 0
        for word in 0..<words { common |= wanted[word] & before[word] }
        guard common != 0 else { return nil }
        let entry = entries.pointer[Int(set)]
        var place = entry.firstAddition
        while !hasBit(before, Int(additions.pointer[place])) || !wants(Int(additions.pointer[place]), set) { place += 1 }
        let added = additions.pointer[place], known = with.pointer[place]
        if known >= 0 { return (known, Int(added)) }
        var filled = 0, isIn = false
        for k in 0..<Int(entry.parentCount) {
            let parent = parents.pointer[entry.firstParent + k]
            if !isIn, parent > added {
                scratch[filled] = added
                filled += 1
                isIn = true
            }
            scratch[filled] = parent
            filled += 1
        }
        if !isIn {
            scratch[filled] = added
            filled += 1
        }
        let found = find(Int(entry.variable), count: filled)
        with.pointer[place] = found
        return (found, Int(added))
    }

    // MARK: Finding and making

    /// The set of the first `size` numbers in `scratch`, which ascend.
    private func find(_ variable: Int, count size: Int) -> Number {
        if 2 * entries.count >= table.count { growTable() }
        var slot = Int(truncatingIfNeeded: hash(variable, scratch, size)) & (table.count - 1)
        while table[slot] >= 0 {
            let entry = entries.pointer[Int(table[slot])]
            if Int(entry.variable) == variable, Int(entry.parentCount) == size,
               memcmp(parents.pointer + entry.firstParent, scratch, size * MemoryLayout<UInt16>.stride) == 0 { return table[slot] }
            slot = (slot + 1) & (table.count - 1)
        }
        let made = make(variable, count: size)
        table[slot] = made
        return made
    }

    private func make(_ variable: Int, count size: Int) -> Number {
        let firstParent = parents.grow(by: size)
        _ = without.grow(by: size)
        let own = parents.pointer + firstParent
        own.update(from: scratch, count: size)
        (without.pointer + firstParent).update(repeating: -1, count: size)
        score.evaluate(variable, parents: UnsafeBufferPointer(start: own, count: size), into: evaluation)

        let firstBit = bits.grow(by: 2 * words)
        let members = bits.pointer + firstBit, wanted = members + words
        members.update(repeating: 0, count: 2 * words)
        for k in 0..<size { members[Int(own[k]) >> 6] |= 1 << UInt64(own[k] & 63) }
        order.removeAll(keepingCapacity: true)
        if size < min(knowledge.mostParents, score.mostParents(of: variable)) {
            let allowed = knowledge.allowed(variable)
            for c in 0..<count where evaluation.gains[c] > tolerance && hasBit(allowed, c) && !hasBit(members, c) {
                order.append((evaluation.gains[c], UInt16(c)))
                wanted[c >> 6] |= 1 << UInt64(c & 63)
            }
            order.sort { $0.gain > $1.gain || ($0.gain == $1.gain && $0.variable < $1.variable) }
        }
        let firstAddition = additions.grow(by: order.count)
        _ = with.grow(by: order.count)
        for (k, addition) in order.enumerated() {
            additions.pointer[firstAddition + k] = addition.variable
            with.pointer[firstAddition + k] = -1
        }
        var worst = -1, most = tolerance
        let required = knowledge.required[variable]
        for k in 0..<size where evaluation.losses[k] > most && !required.contains(own[k]) {
            most = evaluation.losses[k]
            worst = k
        }
        entries.append(Entry(score: evaluation.score, variable: UInt16(variable), parentCount: UInt16(size), worst: Int16(worst),
                             firstParent: firstParent, firstAddition: firstAddition, additionCount: order.count))
        return Number(entries.count - 1)
    }

    private func growTable() {
        let former = table
        table = .allocate(capacity: 2 * former.count)
        table.initialize(repeating: -1)
        for number in former where number >= 0 {
            let entry = entries.pointer[Int(number)]
            var slot = Int(truncatingIfNeeded: hash(Int(entry.variable), parents.pointer + entry.firstParent, Int(entry.parentCount))) & (table.count - 1)
            while table[slot] >= 0 { slot = (slot + 1) & (table.count - 1) }
            table[slot] = number
        }
        former.deallocate()
    }

    /// FNV-1a over the numbers, and a last mix since the low bits choose the slot.
    private func hash(_ variable: Int, _ parents: UnsafePointer<UInt16>, _ size: Int) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325 ^ UInt64(variable)
        hash &*= 0x100_0000_01B3
        for k in 0..<size { hash = (hash ^ UInt64(parents[k])) &* 0x100_0000_01B3 }
        hash ^= hash >> 32
        return (hash &* 0x9E37_79B9_7F4A_7C15) >> 20
    }
}
