/// An order of rows in which those of a unit stand together, so that no batch parts them.
struct UnitOrder {
    private let twins: Twins
    /// By row its place, and by place the end of its unit.
    private var places: [Int]
    private var ends: [Int]
    private let partners: Storage<Int>

    /// - Parameter capacity: rows of the largest batch.
    init(_ twins: Twins, capacity: Int, order: inout [Int]) throws(EngineError) {
        self.twins = twins
        places = [Int](repeating: 0, count: twins.unit.count)
        ends = places
        partners = try Storage(count: capacity, of: "batch")
        arrange(Array(0..<twins.unitCount), &order)
    }

    mutating func shuffle(_ random: inout Random, _ order: inout [Int]) {
        var units = Array(0..<twins.unitCount)
        random.shuffle(&units)
        arrange(units, &order)
    }

    private mutating func arrange(_ units: [Int], _ order: inout [Int]) {
        var place = 0
        for unit in units {
            let rows = twins.rows(ofUnit: unit), end = place + rows.count
            for row in rows {
                order[place] = row
                places[row] = place
                ends[place] = end
                place += 1
            }
        }
    }

    /// Where a batch ends that would end here: with the last unit that it has a row of.
    func end(of place: Int) -> Int { ends[place - 1] }

    /// By row of a batch, the place in it of its factual row; -1 where it is no counterfactual.
    func partners(_ order: [Int], _ batch: Range<Int>) -> UnsafePointer<Int> {
        for (i, place) in batch.enumerated() {
            let other = twins.factual.pointer[order[place]]
            partners.pointer[i] = other < 0 ? -1 : places[other] - batch.lowerBound
        }
        return UnsafePointer(partners.pointer)
    }
}
