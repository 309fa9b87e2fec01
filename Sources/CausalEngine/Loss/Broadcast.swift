/// Three matrices stretched to one shape as numpy does: a side of length one repeats.
struct Broadcast {
    private let rows: Int
    private let columns: Int
    private let rowStrides: [Int]
    private let columnStrides: [Int]

    /// - Throws: `.shape`, naming the shapes, where sides are neither equal nor one.
    init(_ what: String, _ shapes: [(name: String, rows: Int, columns: Int)]) throws(EngineError) {
        func side(_ lengths: [Int]) -> Int? {
            let length = lengths.first { $0 != 1 } ?? 1
            return lengths.allSatisfy { $0 == 1 || $0 == length } ? length : nil
        }
        guard let rows = side(shapes.map(\.rows)), let columns = side(shapes.map(\.columns)) else {
            let list = shapes.filter { !$0.name.isEmpty }.map { "\($0.name) (\($0.rows), \($0.columns))" }
            throw EngineError(.shape, "\(what): \(list.joined(separator: ", ")) cannot be broadcast together")
        }
        _ = try checkedSize(rows, columns, of: what)
        self.rows = rows
        self.columns = columns
        rowStrides = shapes.map { $0.rows == 1 ? 0 : $0.columns }
        columnStrides = shapes.map { $0.columns == 1 ? 0 : 1 }
    }

    /// Visits every place of the common shape with the index of the element that each matrix has there.
    func forEach(_ body: (Int, Int, Int) -> Void) {
        for row in 0..<rows {
            var a = row * rowStrides[0], b = row * rowStrides[1], c = row * rowStrides[2]
            for _ in 0..<columns {
                body(a, b, c)
                a += columnStrides[0]
                b += columnStrides[1]
                c += columnStrides[2]
            }
        }
    }
}
