/// Some rows of a product by two vectors of its columns, or by one: sums that stay in registers while the loop runs over the depth.
struct Tile<Vector: Lanes> {
    typealias Scalar = Vector.Scalar

    /// The first row of the first operand.
    let a: UnsafePointer<Scalar>
    let rowStride: Int
    let stepStride: Int
    /// Two vectors a step of the second.
    let panel: UnsafePointer<Scalar>
    let depth: Int
    /// What each row starts from, unless from what is in the target.
    let first: Row
    let accumulate: Bool
    /// The first row of the result, whole vectors of it.
    let target: UnsafeMutablePointer<Scalar>
    let stride: Int

    struct Row {
        var left: Vector
        var right: Vector
    }

    /// Twelve rows, for processors with registers for so many. `count` is how many there are from the first on, no fewer: from a constant the compiler
    /// would make one long chain of the rows' addresses, each waiting for the last.
    @inline(never) func multiplyTwelve<Rule: ActivationRule>(_ count: Int, isWide: Bool, _: Rule.Type) {
        if isWide { multiply(count, height: 12, isWide: true, Rule.self) } else { multiply(count, height: 12, isWide: false, Rule.self) }
    }

    /// One to six rows.
    @inline(never) func multiplySix<Rule: ActivationRule>(_ count: Int, isWide: Bool, _: Rule.Type) {
        switch (count > 2, isWide) {
        case (true, true): multiply(count, height: 6, isWide: true, Rule.self)
        case (true, false): multiply(count, height: 6, isWide: false, Rule.self)
        case (false, true): multiply(count, height: 2, isWide: true, Rule.self)
        case (false, false): multiply(count, height: 2, isWide: false, Rule.self)
        }
    }

    @inline(__always)
    private func multiply<Rule: ActivationRule>(_ count: Int, height: Int, isWide: Bool, _: Rule.Type) {
        let lanes = Vector.scalarCount, isTwice = height > 6
        var sums = SixRows(first), others = sums
        if accumulate {
            sums.load(target, stride, count, height, isWide)
            if isTwice { others.load(target + 6 * stride, stride, 6, 6, isWide) }
        }
        let places = SixPlaces(rowStride, count: min(count, 6))
        var x = a, y = isTwice ? a + 6 * rowStride : a, b = panel
        for _ in 0..<depth {
            let left = Vector.load(b), right = isWide ? Vector.load(b + lanes) : left
            sums.add(x, places, left, right, height, isWide)
            if isTwice { others.add(y, places, left, right, 6, isWide) }
            x += stepStride
            y += stepStride
            b += 2 * lanes
        }
        sums.store(target, stride, count, height, isWide, Rule.self)
        if isTwice { others.store(target + 6 * stride, stride, 6, 6, isWide, Rule.self) }
    }

    private struct SixRows {
        var a: Row, b: Row, c: Row, d: Row, e: Row, f: Row

        @inline(__always) init(_ row: Row) { (a, b, c, d, e, f) = (row, row, row, row, row, row) }

        @inline(__always) mutating func load(_ p: UnsafePointer<Scalar>, _ stride: Int, _ count: Int, _ height: Int, _ isWide: Bool) {
            @inline(__always) func load(_ i: Int, _ row: inout Row) {
                guard i < count else { return }
                row.left = .load(p + i * stride)
                if isWide { row.right = .load(p + i * stride + Vector.scalarCount) }
            }
            load(0, &a)
            load(1, &b)
            guard height > 2 else { return }
            load(2, &c)
            load(3, &d)
            load(4, &e)
            load(5, &f)
        }

        /// One step of the depth: of each row one number of the first operand times a row of the second.
        @inline(__always) mutating func add(_ x: UnsafePointer<Scalar>, _ places: SixPlaces, _ left: Vector, _ right: Vector, _ height: Int, _ isWide: Bool) {
            @inline(__always) func add(_ place: Int, to row: inout Row) {
                let x = Vector(repeating: x[place])
                row.left = row.left.adding(x, times: left)
                if isWide { row.right = row.right.adding(x, times: right) }
            }
            add(0, to: &a)
            add(places.b, to: &b)
            guard height > 2 else { return }
            add(places.c, to: &c)
            add(places.d, to: &d)
            add(places.e, to: &e)
            add(places.f, to: &f)
        }

        @inline(__always)
        func store<Rule: ActivationRule>(_ p: UnsafeMutablePointer<Scalar>, _ stride: Int, _ count: Int, _ height: Int, _ isWide: Bool, _: Rule.Type) {
            @inline(__always) func store(_ i: Int, _ row: Row) {
                guard i < count else { return }
                Rule.value(row.left).store(to: p + i * stride)
                if isWide { Rule.value(row.right).store(to: p + i * stride + Vector.scalarCount) }
            }
            store(0, a)
            store(1, b)
            guard height > 2 else { return }
            store(2, c)
            store(3, d)
            store(4, e)
            store(5, f)
        }
    }
}

/// Where the rows after the first are.
private struct SixPlaces {
    let b: Int, c: Int, d: Int, e: Int, f: Int

    /// Rows beyond `count` are the last one, which is read again.
    @inline(__always) init(_ stride: Int, count: Int) {
        b = min(1, count - 1) * stride
        c = min(2, count - 1) * stride
        d = min(3, count - 1) * stride
        e = min(4, count - 1) * stride
        f = min(5, count - 1) * stride
    }
}
