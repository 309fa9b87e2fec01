/// The variables that are still to be looked at, drawn at random.
struct Unsettled {
    private var waiting: [Int] = []
    private var isWaiting: [Bool]

    init(variables: Int) { isWaiting = [Bool](repeating: false, count: variables) }

    mutating func insert(_ variable: Int) {
        guard !isWaiting[variable] else { return }
        isWaiting[variable] = true
        waiting.append(variable)
    }

    mutating func insertAll() { for variable in isWaiting.indices { insert(variable) } }

    mutating func draw(_ random: inout Random) -> Int? {
        guard !waiting.isEmpty else { return nil }
        waiting.swapAt(random.index(below: waiting.count), waiting.count - 1)
        let variable = waiting.removeLast()
        isWaiting[variable] = false
        return variable
    }
}
