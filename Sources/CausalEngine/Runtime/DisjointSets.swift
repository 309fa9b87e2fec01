/// Numbers from 0 on in sets that are joined one after the other (union and find, Tarjan 1975). A set goes by the smallest number in it.
struct DisjointSets {
    private var next: [Int]

    init(count: Int) { next = Array(0..<count) }

    /// The smallest number in the set of this one.
    mutating func first(with number: Int) -> Int {
        var number = number
        while next[number] != number {
            next[number] = next[next[number]]
            number = next[number]
        }
        return number
    }

    mutating func join(_ one: Int, _ other: Int) {
        let (a, b) = (first(with: one), first(with: other))
        next[max(a, b)] = min(a, b)
    }
}
