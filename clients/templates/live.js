/* Keeps #live as the server would draw it now. Nothing is replaced while somebody types, has typed or chosen something that
   is not sent yet, or has a detail open. */
(function () {
  "use strict";
  function begun(field) {
    if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
    if (field.options) return field.selectedIndex > 0 && !field.options[field.selectedIndex].defaultSelected;
    return field.type !== "hidden" && field.value !== field.defaultValue;
  }
  function busy() {
    var live = document.getElementById("live"), at = document.activeElement;
    return document.hidden || !live || (at && live.contains(at) && /INPUT|TEXTAREA|SELECT|BUTTON|SUMMARY/.test(at.tagName)) ||
      live.querySelector("details[data-still][open]") ||
      Array.prototype.some.call(live.querySelectorAll("input, textarea, select"), begun) || String(getSelection && getSelection()) !== "";
  }
  function refresh() {
    if (busy()) return;
    var address = new URL(location.href);
    address.searchParams.delete("told");
    fetch(address, { headers: { Accept: "text/html" } }).then(function (response) {
      return response.ok ? response.text() : "";
    }).then(function (text) {
      if (!text || busy()) return;
      var fresh = new DOMParser().parseFromString(text, "text/html").getElementById("live");
      var live = document.getElementById("live");
      if (fresh && fresh.innerHTML !== live.innerHTML) {
        var open = Array.prototype.map.call(live.querySelectorAll("details[open][id]"), function (d) { return d.id; });
        live.innerHTML = fresh.innerHTML;
        open.forEach(function (id) { var d = document.getElementById(id); if (d) d.open = true; });
      }
    }).catch(function () {});
  }
  setInterval(refresh, 2500);
})();
