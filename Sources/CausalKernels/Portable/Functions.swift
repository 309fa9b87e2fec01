internal import Glibc

// The polynomials are those of Cephes (Moshier 1989), one set for each precision.

extension Lanes where Scalar == Float {
    @inline(__always) public func exponential() -> Self {
        let x = between(-87, 88)
        // Adding 1.5 * 2^23 leaves the nearest whole number in the low bits.
        let shifted = Self(repeating: 0x1.8p23).adding(x, times: Self(repeating: 1.44269504088896341))
        let whole = shifted - Self(repeating: 0x1.8p23)
        let r = x.adding(whole, times: Self(repeating: -0.693359375)).adding(whole, times: Self(repeating: 2.12194440e-4))
        var p = Self(repeating: 1.3981999507e-3).adding(r, times: Self(repeating: 1.9875691500e-4))
        p = Self(repeating: 8.3334519073e-3).adding(r, times: p)
        p = Self(repeating: 4.1665795894e-2).adding(r, times: p)
        p = Self(repeating: 1.6666665459e-1).adding(r, times: p)
        p = Self(repeating: 5.0000001201e-1).adding(r, times: p)
        p = (r + Self(repeating: 1)).adding(p, times: r * r)
        return p.timesTwo(toThe: shifted)
    }
    @inline(__always) public func hyperbolicTangent() -> Self {
        let square = self * self
        var p = Self(repeating: 2.06390887954e-2).adding(square, times: Self(repeating: -5.70498872745e-3))
        p = Self(repeating: -5.37397155531e-2).adding(square, times: p)
        p = Self(repeating: 1.33314422036e-1).adding(square, times: p)
        p = Self(repeating: -3.33332819422e-1).adding(square, times: p)
        let near = adding(self * square, times: p)
        let far = Self(repeating: 1) - Self(repeating: 2) / (Self(repeating: 1) + (self + self).exponential())
        return far.replacing(with: near, whereLess: square, than: Self(repeating: 0.390625))
    }
    @inline(__always) public func errorFunction() -> Self {
        let square = self * self
        var p = Self(repeating: -8.010193625184903e-4).adding(square, times: Self(repeating: 7.853861353153693e-5))
        p = Self(repeating: 5.188327685732524e-3).adding(square, times: p)
        p = Self(repeating: -2.685381193529856e-2).adding(square, times: p)
        p = Self(repeating: 1.128358514861418e-1).adding(square, times: p)
        p = Self(repeating: -3.761262582423300e-1).adding(square, times: p)
        let near = self * Self(repeating: 1.128379165726710).adding(square, times: p)
        // Abramowitz and Stegun 1964, 7.1.26, whose error of 1.5e-7 is less than that beyond 1.
        let zero = Self(repeating: 0)
        let size = replacing(with: zero - self, whereLess: self, than: zero)
        let t = Self(repeating: 1) / Self(repeating: 1).adding(size, times: Self(repeating: 0.3275911))
        var q = Self(repeating: -1.453152027).adding(t, times: Self(repeating: 1.061405429))
        q = Self(repeating: 1.421413741).adding(t, times: q)
        q = Self(repeating: -0.284496736).adding(t, times: q)
        q = Self(repeating: 0.254829592).adding(t, times: q)
        let tail = Self(repeating: 1) - t * q * (Self(repeating: 0) - square).exponential()
        return tail.replacing(with: zero - tail, whereLess: self, than: zero).replacing(with: near, whereLess: square, than: Self(repeating: 1))
    }
    @inline(__always) public static func exp(_ x: Float) -> Float { Glibc.expf(x) }
    @inline(__always) public static func expm1(_ x: Float) -> Float { Glibc.expm1f(x) }
    @inline(__always) public static func log(_ x: Float) -> Float { Glibc.logf(x) }
    @inline(__always) public static func log1p(_ x: Float) -> Float { Glibc.log1pf(x) }
}

extension Lanes where Scalar == Double {
    @inline(__always) public func exponential() -> Self {
        let x = between(-708, 709)
        // Adding 1.5 * 2^52 leaves the nearest whole number in the low bits.
        let shifted = Self(repeating: 0x1.8p52).adding(x, times: Self(repeating: 1.4426950408889634074))
        let whole = shifted - Self(repeating: 0x1.8p52)
        let r = x.adding(whole, times: Self(repeating: -6.93145751953125e-1)).adding(whole, times: Self(repeating: -1.42860682030941723212e-6))
        let square = r * r
        let p = r * Self(repeating: 9.99999999999999999910e-1).adding(
            Self(repeating: 3.02994407707441961300e-2).adding(square, times: Self(repeating: 1.26177193074810590878e-4)), times: square)
        let q = Self(repeating: 2).adding(Self(repeating: 2.27265548208155028766e-1).adding(
            Self(repeating: 2.52448340349684104192e-3).adding(square, times: Self(repeating: 3.00198505138664455042e-6)), times: square), times: square)
        let result = Self(repeating: 1) + Self(repeating: 2) * p / (q - p)
        return result.timesTwo(toThe: shifted)
    }
    @inline(__always) public func hyperbolicTangent() -> Self {
        let square = self * self
        var p = Self(repeating: -9.92877231001918586564e1).adding(square, times: Self(repeating: -9.64399179425052238628e-1))
        p = Self(repeating: -1.61468768441708447952e3).adding(square, times: p)
        var q = Self(repeating: 1.12811678491632931402e2) + square
        q = Self(repeating: 2.23548839060100448583e3).adding(square, times: q)
        q = Self(repeating: 4.84406305325125486048e3).adding(square, times: q)
        let near = adding(self * square, times: p / q)
        let far = Self(repeating: 1) - Self(repeating: 2) / (Self(repeating: 1) + (self + self).exponential())
        return far.replacing(with: near, whereLess: square, than: Self(repeating: 0.390625))
    }
    @inline(__always) public func errorFunction() -> Self {
        mapped { Glibc.erf($0) }
    }
    @inline(__always) public static func exp(_ x: Double) -> Double { Glibc.exp(x) }
    @inline(__always) public static func expm1(_ x: Double) -> Double { Glibc.expm1(x) }
    @inline(__always) public static func log(_ x: Double) -> Double { Glibc.log(x) }
    @inline(__always) public static func log1p(_ x: Double) -> Double { Glibc.log1p(x) }
}
